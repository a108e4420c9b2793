import {at, plural, say, svg} from './dom.js';

const SECONDS = 60;
const MIDDLE = 80;
const second = () => Math.floor(Date.now() / 1000);

/** Allowed and denied answers of the last minute, by the second. */
export class Chart {
  #slots = new Map();
  #bars;

  constructor() {
    const bar = (kind, i) => svg('rect', {class: kind, x: i * 10 + 1, width: 8, y: MIDDLE, height: 0});
    this.#bars = Array.from({length: SECONDS}, (_, i) => [bar('allowed', i), bar('denied', i)]);
    at('chart').append(...this.#bars.flat(), svg('line', {class: 'zero', x1: 0, x2: 600, y1: MIDDLE, y2: MIDDLE}));
  }

  add(allowed) {
    const now = second();
    const slot = this.#slots.get(now) ?? [0, 0];
    slot[allowed ? 0 : 1]++;
    this.#slots.set(now, slot);
  }

  render() {
    const now = second();
    for (const then of this.#slots.keys()) {
      if (then <= now - SECONDS) {
        this.#slots.delete(then);
      }
    }
    const slots = [...this.#slots.values()];
    const peak = Math.max(5, ...slots.flat());
    this.#bars.forEach((bars, i) => {
      const slot = this.#slots.get(now - SECONDS + 1 + i) ?? [0, 0];
      bars.forEach((bar, kind) => {
        const height = slot[kind] && Math.max(2, slot[kind] / peak * (MIDDLE - 4));
        bar.setAttribute('height', height);
        bar.setAttribute('y', kind === 0 ? MIDDLE - height : MIDDLE);
      });
    });
    const sum = kind => slots.reduce((total, slot) => total + slot[kind], 0);
    say(at('chart-up'), `${peak} allowed`);
    say(at('chart-down'), `${peak} denied`);
    say(at('chart-text'), slots.length === 0 ? 'No answers in the last minute.'
      : `${plural(sum(0), 'request')} allowed and ${sum(1)} denied; at most ${Math.max(...slots.map(([a]) => a))} allowed`
        + ` and ${Math.max(...slots.map(([, d]) => d))} denied in one second.`);
  }
}
