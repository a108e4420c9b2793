/* Reads the RateLimit header fields: lists of names with parameters, as "visitor";r=9;t=1, "everyone";r=99;t=1. */

function items(field) {
  const found = [];
  for (const [, name, parameters] of (field ?? '').matchAll(/"((?:[^"\\]|\\.)*)"((?:\s*;\s*[a-z]+=[^;,\s]+)*)/g)) {
    const item = {name: name.replace(/\\(.)/g, '$1')};
    for (const [, key, number] of parameters.matchAll(/([a-z]+)=(\d+)/g)) {
      item[key] = Number(number);
    }
    found.push(item);
  }
  return found;
}

/** The policies that an answer tells of: {name, remaining, wait}, of which the wait is in seconds. */
export function limitsOf(headers) {
  return items(headers.get('RateLimit')).map(({name, r, t}) => ({name, remaining: r, wait: t ?? 0}));
}

/** Reads a duration as "PT1M1.5S", in whole seconds, none too few. */
export function seconds(duration) {
  const [, hours = 0, minutes = 0, rest = 0] = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?$/.exec(duration);
  return Math.ceil(hours * 3600 + minutes * 60 + Number(rest));
}

const UNITS = {ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86400};

/** Reads a limit as "100/1m burst 200": its capacity, and the tokens that flow in each second. */
export function limit(text) {
  const [, tokens, count, unit, burst] = /^(\d+)\/(\d*)([a-z]+)(?: burst (\d+))?$/.exec(text);
  return {capacity: Number(burst ?? tokens), rate: Number(tokens) / (Number(count || 1) * UNITS[unit])};
}
