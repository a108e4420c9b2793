/* Makes elements. Whatever comes from a server is text here and never markup. */

const SVG = 'http://www.w3.org/2000/svg';

export const at = id => document.getElementById(id);

export function h(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Sets a text only where it changes, so that nothing is read out or laid out for naught. */
export function say(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

export const plural = (number, noun) => `${number} ${noun}${number === 1 ? '' : 's'}`;
