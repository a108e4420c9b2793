import {at, h} from './dom.js';

const KEPT = 5;
const FIELDS = ['RateLimit-Policy', 'RateLimit', 'Retry-After'];

/** Sends a request, as the given client if one is given. */
export async function send(path, client) {
  const response = await fetch(path, {cache: 'no-store', headers: client ? {'X-Forwarded-For': client} : {}});
  const denied = response.status === 429;
  const text = (await response.text()).trim();
  return {
    path, client, denied,
    status: response.status,
    headers: response.headers,
    text: denied ? '' : text,
    violated: denied ? JSON.parse(text)['violated-policies'] ?? [] : [],
    retryAfter: Number(response.headers.get('Retry-After')),
  };
}

let last = null;

/** Puts an answer on top of the last ones; where it says the same as the last, it only adds to that one's number. */
export function show(answer) {
  const fields = FIELDS.filter(name => answer.headers.has(name)).map(name => [name, answer.headers.get(name)]);
  const same = JSON.stringify([answer.status, answer.path, !answer.client, fields]);
  if (last?.same === same) {
    last.times++;
  } else {
    last = {same, times: 1, who: h('span', {class: 'who'})};
    at('no-answers').hidden = true;
    at('answers').prepend(row(answer, fields, last.who));
    while (at('answers').children.length > KEPT) {
      at('answers').lastElementChild.remove();
    }
  }
  last.who.textContent = (answer.client ?? 'you') + (last.times === 1 ? ''
    : answer.client ? ` and ${last.times - 1} more` : `, ${last.times} times`);
}

function row(answer, fields, who) {
  return h('li', {},
    h('p', {class: 'line'},
      h('span', {class: answer.denied ? 'status denied' : 'status allowed'}, answer.denied ? '429 denied' : `${answer.status} allowed`),
      h('span', {class: 'mono'}, `GET ${answer.path}`),
      who),
    h('dl', {}, ...fields.map(([name, value]) => h('div', {}, h('dt', {}, `${name}: `), h('dd', {}, value)))));
}
