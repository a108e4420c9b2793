import {at, h, say} from './dom.js';

/** Asks what would become of the request in the form. */
export function explainOnSubmit() {
  at('explain').addEventListener('submit', async event => {
    event.preventDefault();
    const query = new URLSearchParams({method: at('method').value, path: at('path').value.trim()});
    if (at('address').value.trim()) {
      query.set('address', at('address').value.trim());
    }
    at('headers').value.split('\n').filter(line => line.trim()).forEach(line => query.append('headers', line.trim()));
    const response = await fetch(`actuator/ratelimit/explain?${query}`);
    at('explained').replaceChildren();
    if (!response.ok) {
      say(at('verdict'), `That was no request to explain (${response.status}). The path starts with a slash, and the address is a number.`);
      return;
    }
    const {verdict, policies} = await response.json();
    const matching = policies.filter(policy => policy.matches).length;
    say(at('verdict'), `${VERDICTS[verdict] ?? verdict}; ${matching} of ${policies.length} policies match.`);
    at('explained').replaceChildren(...policies.map(line));
  });
}

const VERDICTS = {allowed: 'Allowed', denied: 'Denied', unlimited: 'Not limited'};

function line(policy) {
  return h('li', {},
    h('p', {class: 'line'}, h('strong', {}, policy.name),
      h('span', {class: policy.matches ? 'status allowed' : 'who'}, policy.matches ? 'matches' : 'does not match')),
    h('p', {class: 'why'}, policy.matches ? `${policy.remaining} left, by ${policy.keySource}` : policy.why));
}
