import {send, show} from './answers.js';
import {Bucket} from './bucket.js';
import {Chart} from './chart.js';
import {at, h, plural, say} from './dom.js';
import {explainOnSubmit} from './explain.js';
import {limitsOf} from './fields.js';

const ENDPOINT = 'actuator/ratelimit';
const POLL_MILLIS = 2000;
const TARGETS = ['/playground/ping', '/api/hello', '/reports/acme/export?pages=2'];
const FLOOD = 200;
const LINE = 25; // of the flood's requests that are under way at once

const buckets = new Map();
const chart = new Chart();
const calm = matchMedia('(prefers-reduced-motion: reduce)');
let address = null;
let paused = false;
let busy = false;
let taken = 0; // answers so far: what was asked before the last of them is stale

async function json(url) {
  const response = await fetch(url, {cache: 'no-store'});
  if (!response.ok) {
    throw new Error(`${url} answered ${response.status}`);
  }
  return response.json();
}

// What the buckets hold.

/** Whose bucket of a policy is shown, in words and as the endpoint wants it; null if this page cannot know. */
function ownerOf({policy, key, paths}) {
  if (policy === 'export') {
    return {whose: 'for each tenant', query: 'by=argument&key=acme'};
  }
  return paths.length === 0 ? null
    : key === 'global' ? {whose: 'for all together', query: 'key=all'}
      : {whose: 'for each address', query: `key=${encodeURIComponent(address)}`};
}

async function poll() {
  const {policies} = await json(ENDPOINT);
  await Promise.all(policies.map(async policy => {
    const owner = ownerOf(policy);
    if (owner) {
      const bucket = buckets.get(policy.policy) ?? add(policy, owner);
      bucket.count(policy.counts);
      const before = taken;
      const {state} = await json(`${ENDPOINT}/policies/${policy.policy}?${owner.query}`);
      if (before === taken) {
        bucket.set(state.remaining);
      }
    }
  }));
}

function add(policy, {whose}) {
  const bucket = new Bucket(policy, whose);
  buckets.set(policy.policy, bucket);
  at('buckets').append(bucket.element);
  return bucket;
}

async function refresh() {
  try {
    await poll();
    at('notice').hidden = true;
  } catch (failure) {
    say(at('notice'), `The endpoint of the rate limits cannot be read: ${failure.message}. It is there with the profile "playground": the one of mvn spring-boot:run, unless that is given others.`);
    at('notice').hidden = false;
  }
}

async function keepPolling() {
  if (!paused && !document.hidden) {
    await refresh();
  }
  setTimeout(keepPolling, POLL_MILLIS);
}

function render() {
  if (!paused) {
    buckets.forEach(bucket => bucket.render());
    chart.render();
  }
}

// What the buttons do.

function take(answer) {
  taken++;
  chart.add(!answer.denied);
  show(answer);
  for (const {name, remaining} of limitsOf(answer.headers)) {
    const bucket = buckets.get(name);
    if (bucket && (!answer.client || bucket.isGlobal)) {
      bucket.lower(remaining);
    }
  }
  render();
  return answer;
}

function tell(what, answers) {
  const denied = answers.filter(answer => answer.denied);
  const violated = [...new Set(denied.flatMap(answer => answer.violated))];
  const last = denied.at(-1);
  say(at('result'), answers.length === 1 && !last ? `${what}: allowed. ${answers[0].text}`
    : `${what}: ${answers.length - denied.length} allowed, ${denied.length} denied`
      + (last ? ` by ${violated.join(' and ')}. Come back in ${plural(last.retryAfter, 'second')}.` : '.'));
}

/** Runs one thing at a time. The buttons keep the focus meanwhile, which a disabled one would lose. */
function onClick(id, action) {
  at(id).addEventListener('click', async () => {
    if (busy) {
      return;
    }
    busy = true;
    const buttons = document.querySelectorAll('.buttons button');
    buttons.forEach(button => button.setAttribute('aria-disabled', 'true'));
    try {
      await action(at('target').value);
    } catch (failure) {
      say(at('result'), `The server did not answer: ${failure.message}`);
    } finally {
      buttons.forEach(button => button.removeAttribute('aria-disabled'));
      busy = false;
      refresh();
    }
  });
}

onClick('one', async path => tell('One request', [take(await send(path))]));

onClick('burst', async path =>
  tell('Burst of 20', await Promise.all(Array.from({length: 20}, () => send(path).then(take)))));

/** Each from an address of its own, in the network that RFC 2544 keeps free for tests like this. */
onClick('flood', async path => {
  const first = Math.floor(Math.random() * 0x1ff00);
  const answers = [];
  for (let i = 0; i < FLOOD; i += LINE) {
    answers.push(...await Promise.all(Array.from({length: LINE}, (_, j) => {
      const client = first + i + j;
      return send(path, `198.${18 + (client >> 16)}.${client >> 8 & 255}.${client & 255}`).then(take);
    })));
  }
  tell(`Flood of ${FLOOD} clients`, answers);
  if (answers.some(takenForAnother)) {
    at('result').append(' The server did not believe their addresses, and took all for one client.');
  }
});

/** Whether a new client was answered from a bucket that had been used before. */
function takenForAnother(answer) {
  return !answer.denied && limitsOf(answer.headers).some(({name, remaining}) =>
    buckets.has(name) && !buckets.get(name).isGlobal && remaining < buckets.get(name).capacity - 1);
}

at('pause').addEventListener('click', () => {
  paused = !paused;
  at('pause').setAttribute('aria-pressed', paused);
});

at('target').append(...TARGETS.map(path => h('option', {}, path)));
at('target').addEventListener('change', () => {
  at('path').value = at('target').value;
});
explainOnSubmit();

try {
  const response = await fetch('playground/address');
  address = response.ok ? await response.text() : null;
} catch {
  address = null;
}
at('address').value = address ?? '';
keepPolling();
(function frame() {
  render();
  setTimeout(() => calm.matches ? frame() : requestAnimationFrame(frame), calm.matches ? 1000 : 100);
})();
