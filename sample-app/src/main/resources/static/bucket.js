import {h, say, svg} from './dom.js';
import {limit} from './fields.js';

const TOP = 10;
const BOTTOM = 92;
const WALL = 'M8 4 L16.2 86 Q17 94 25 94 H71 Q79 94 79.8 86 L88 4';
let count = 0;

/**
 * One bucket as a picture. Between two answers it goes on by itself: the level rises with the tokens that are known to flow
 * in, so what it shows needs no poll to be right.
 */
export class Bucket {
  #level;
  #since = performance.now();

  /** Creates the bucket of that policy, which whose says in words. */
  constructor(policy, whose) {
    this.isGlobal = policy.key === 'global';
    const limits = policy.limits.map(limit);
    const tightest = limits.reduce((a, b) => a.capacity <= b.capacity ? a : b);
    this.capacity = tightest.capacity;
    this.rate = tightest.rate;
    this.#level = this.capacity; // as any bucket is that nobody has asked
    this.shadow = policy.mode === 'shadow';
    this.element = this.#draw(policy, whose);
  }

  #draw(policy, whose) {
    const clip = `inside-${++count}`;
    const title = `bucket-${count}`;
    this.water = svg('rect', {class: 'water', x: 0, y: TOP, width: 96, height: BOTTOM - TOP + 4});
    const ticks = this.capacity > 12 ? [] : Array.from({length: this.capacity - 1}, (_, i) => {
      const y = BOTTOM - (i + 1) / this.capacity * (BOTTOM - TOP);
      const right = 88 - (y - 4) / 10;
      return svg('line', {class: 'tick', x1: right - 7, x2: right - 2, y1: y, y2: y});
    });
    const picture = svg('svg', {viewBox: '0 0 96 98', 'aria-hidden': 'true'},
      svg('clipPath', {id: clip}, svg('path', {d: WALL + ' Z'})),
      svg('path', {class: 'inside', d: WALL + ' Z'}),
      svg('g', {'clip-path': `url(#${clip})`}, this.water),
      ...ticks,
      svg('path', {class: 'wall', d: WALL}));
    this.meter = h('div', {class: 'figure', role: 'meter', 'aria-labelledby': title, 'aria-valuemin': 0,
      'aria-valuemax': this.capacity, 'aria-valuenow': this.capacity}, picture);
    this.levelText = h('span');
    this.next = h('p', {class: 'next'});
    this.allowed = h('span');
    this.denied = h('span');
    return h('li', {class: this.shadow ? 'bucket shadow' : 'bucket'},
      h('h3', {id: title}, policy.policy, ...this.shadow ? [' ', h('span', {class: 'tag'}, 'shadow')] : []),
      h('p', {class: 'rule'}, h('span', {class: 'mono'}, policy.limits.join(', ')), whose),
      this.meter,
      h('p', {class: 'level'}, this.levelText, ' ', h('small', {}, `of ${this.capacity}`)),
      this.next,
      h('p', {class: 'counts'}, this.allowed, ' ', this.denied));
  }

  /** Takes over what is left. A fraction of a token that flowed in since is kept where it may be true. */
  set(remaining) {
    if (Math.floor(this.level()) !== remaining) {
      this.#level = remaining;
      this.#since = performance.now();
    }
  }

  /** Takes over what an answer says is left, unless it is late: answers of a burst come in any order. */
  lower(remaining) {
    if (remaining < this.level()) {
      this.set(remaining);
    }
  }

  count({allowed = 0, denied = 0, 'shadow-denied': would = 0}) {
    say(this.allowed, `${allowed} allowed`);
    say(this.denied, this.shadow ? `${would} would be denied` : `${denied} denied`);
  }

  level() {
    return Math.min(this.capacity, this.#level + (performance.now() - this.#since) / 1000 * this.rate);
  }

  render() {
    const level = this.level();
    const whole = Math.floor(level);
    const wait = Math.ceil((whole + 1 - level) / this.rate);
    const next = level >= this.capacity ? 'full' : this.rate >= 2 ? `${this.rate} more a second` : `next in ${wait} s`;
    const empty = (1 - level / this.capacity) * (BOTTOM - TOP);
    this.water.style.transform = `translateY(${empty.toFixed(1)}px)`;
    this.element.classList.toggle('empty', whole === 0);
    this.meter.setAttribute('aria-valuenow', whole);
    this.meter.setAttribute('aria-valuetext', `${whole} of ${this.capacity} tokens, ${next}`);
    say(this.levelText, String(whole));
    say(this.next, next);
  }
}
