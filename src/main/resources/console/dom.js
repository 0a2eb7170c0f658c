// Elements are built by hand and texts are set as texts: what a PBX or a CRM sent is never read as markup.

/** @param props on<event>: a listener; any other: an attribute, left out if null or false */
export function el(tag, props = {}, ...children) {
  return filled(document.createElement(tag), props, children);
}

export function svg(tag, props = {}, ...children) {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', tag), props, children);
}

function filled(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? '' : value);
    }
  }
  element.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A text of somebody else: its direction marks stay within it. */
export function foreign(text) {
  return el('bdi', {}, String(text));
}

/** A table whose rows become cards on a small screen. @param rows arrays of cells, as many as head has texts */
export function table(caption, head, rows) {
  return el('div', { class: 'scroll' }, el('table', {},
    el('caption', { class: 'unseen' }, caption),
    el('thead', {}, el('tr', {}, head.map((text) => el('th', { scope: 'col' }, text)))),
    el('tbody', {}, rows.map((cells) => el('tr', {}, cells.map((cell, i) => empty(cell) ? el('td', { class: 'none' })
      : el('td', { 'data-label': head[i] }, el('div', {}, cell))))))));
}

function empty(cell) {
  return cell === null || cell === undefined || cell === '' || Array.isArray(cell) && cell.length === 0;
}

export function field(label, control, hint) {
  return el('label', { class: 'field' }, el('span', {}, label), control, hint ? el('small', {}, hint) : null);
}

export function select(name, options, value) {
  return el('select', { name }, options.map(([key, text]) => el('option', { value: key, selected: key === value }, text)));
}

export function button(text, act, kind = '') {
  return el('button', { type: 'button', class: kind, onclick: act }, text);
}

/** Puts in new content; who stood on a link of the old one stands on the same link of the new one. */
export function redraw(place, ...content) {
  const link = place.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
  place.replaceChildren(...content);
  if (link) {
    [...place.querySelectorAll('a')].find((each) => each.getAttribute('href') === link)?.focus();
  }
}

export function badge(kind, text) {
  return el('span', { class: `badge ${kind}` }, text);
}
