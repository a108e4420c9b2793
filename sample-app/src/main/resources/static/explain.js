import {at, h, plural, say} from './dom.js';
import {seconds} from './fields.js';

/** Asks what would become of the request in the form. */
export function explainOnSubmit() {
  at('explain').addEventListener('submit', async event => {
    event.preventDefault();
    try {
      const response = await fetch(`actuator/ratelimit/explain?${query()}`);
      const answer = await response.json();
      if (response.ok) {
        explain(answer);
      } else {
        refuse(answer.error);
      }
    } catch {
      refuse('the server gave no answer that can be read.');
    }
  });
}

function explain(answer) {
  say(at('verdict'), verdict(answer));
  const policies = answer.policies.toSorted((a, b) => b.asked - a.asked);
  at('explained').replaceChildren(...policies.map(row));
}

function refuse(error) {
  say(at('verdict'), `This cannot be explained: ${error}`);
  at('explained').replaceChildren();
}

function query() {
  const parts = new URLSearchParams({method: at('method').value, path: at('path').value.trim()});
  const address = at('address').value.trim();
  if (address) {
    parts.set('address', address);
  }
  at('headers').value.split('\n').map(line => line.trim()).filter(line => line)
    .forEach(line => parts.append('headers', line));
  return parts;
}

const denies = policy => policy.asked && !policy.allowed && policy.mode === 'enforce';

function verdict({allowed, client, proxy, policies}) {
  const whose = client ? `It counts as ${client}${proxy ? `, through the proxy ${proxy}` : ''}.` : 'It has no address.';
  if (!policies.some(policy => policy.asked)) {
    return `Not limited. ${whose}`;
  }
  return allowed ? `Allowed. ${whose}` : `Denied by ${policies.filter(denies).map(each => each.policy).join(' and ')}. ${whose}`;
}

function row(policy) {
  const word = !policy.asked ? 'not asked' : policy.allowed ? 'allows' : denies(policy) ? 'denies' : 'would deny';
  return h('li', {},
    h('p', {class: 'line'}, h('strong', {}, policy.policy),
      h('span', {class: policy.asked ? `status ${policy.allowed ? 'allowed' : 'denied'}` : 'status none'}, word)),
    h('p', {class: 'why'}, policy.asked ? state(policy) : sentence(policy.reason)));
}

function state({keyFrom, remaining, allowed, retryAfter, tokens}) {
  const left = `${remaining} left; costs ${tokens}; key: ${keyFrom.join(', ')}`;
  return allowed ? left : retryAfter === 'never' ? `${left}; can never pass` : `${left}; again in ${plural(seconds(retryAfter), 'second')}`;
}

const sentence = text => text[0].toUpperCase() + text.slice(1);
