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

/** Puts an answer on top of the last ones. */
export function show(answer) {
  const fields = FIELDS.filter(name => answer.headers.has(name))
    .map(name => h('div', {}, h('dt', {}, `${name}: `), h('dd', {}, answer.headers.get(name))));
  at('no-answers').hidden = true;
  at('answers').prepend(h('li', {},
    h('p', {class: 'line'},
      h('span', {class: answer.denied ? 'status denied' : 'status allowed'}, answer.denied ? '429 denied' : `${answer.status} allowed`),
      h('span', {class: 'mono'}, `GET ${answer.path}`),
      h('span', {class: 'who'}, answer.client ?? 'you')),
    h('dl', {}, ...fields)));
  while (at('answers').children.length > KEPT) {
    at('answers').lastElementChild.remove();
  }
}
