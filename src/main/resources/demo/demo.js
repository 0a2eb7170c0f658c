// Follows GET /demo/events and draws it. Data becomes text nodes only, never markup.
'use strict';

const LEAVE_MS = 3800; // as long as the style lets an ended card stay
const KEPT = 200; // entries per list, as many as the server keeps

const screens = new Map(); // user -> { element parts of one employee's screen }
const cards = new Map(); // SubCallID -> card on a screen
const employeesByExtension = new Map();
let clockOffset = 0; // the server's clock minus this one's

const byId = (id) => document.getElementById(id);

function el(tag, className, text) {
  const node = document.createElement(tag);
  if (className) {
    node.className = className;
  }
  if (text !== undefined) {
    node.textContent = text;
  }
  return node;
}

// --- words -----------------------------------------------------------------

const RESULTS = {
  'answered': ['answered', 'good'],
  'busy': ['busy', ''],
  'no-answer': ['no answer', ''],
  'cancelled': ['cancelled', ''],
  'failed': ['failed', 'bad'],
  'unknown': ['unknown', '']
};

const capitalised = (word) => word.charAt(0).toUpperCase() + word.slice(1);

function telephone(number) {
  const text = String(number);
  const parts = /^\+?7(\d{3})(\d{3})(\d{2})(\d{2})$/.exec(text);
  // With spaces and hyphens that do not break the line.
  return parts ? `+7\u00a0${parts[1]}\u00a0${parts[2]}\u2011${parts[3]}\u2011${parts[4]}` : text;
}

function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const tail = String(s % 60).padStart(2, '0');
  const minutes = Math.floor(s / 60);
  return minutes < 60
    ? `${minutes}:${tail}`
    : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${tail}`;
}

function timeOfDay(iso) {
  const date = new Date(iso);
  return isNaN(date) ? '' : date.toLocaleTimeString('en-GB');
}

function employee(extension, user) {
  const name = user || employeesByExtension.get(extension);
  return name ? `${capitalised(String(name))} ${extension || ''}`.trim() : `extension ${extension}`;
}

function party(record) {
  if (record.entity && record.entity.name) {
    return String(record.entity.name);
  }
  return record.number ? telephone(record.number) : 'hidden number';
}

function whyCardEnded(end) {
  switch (end.reason) {
    case 'ended':
      return 'call ended';
    case 'answered-elsewhere':
      return end.answeredBy ? `answered by ${employee(end.answeredBy)}` : 'answered elsewhere';
    case 'unanswered':
      return 'unanswered';
    default:
      return String(end.reason);
  }
}

// --- pieces ----------------------------------------------------------------

// The name of the other party. A real card would link to the entity's page; the demo's pages do not exist.
function partyNode(record) {
  const node = el('span', 'name', party(record));
  if (record.entity && record.entity.url) {
    node.title = `page in the CRM: ${record.entity.url}`;
  }
  return node;
}

function arrow(kind) {
  const paths = {
    in: 'M13 3 4 12M4 5v7h7',
    out: 'M3 13 12 4M5 4h7v7',
    missed: 'M4 4l8 8M12 4l-8 8',
    served: 'M3 8.5l3.5 3.5L13 4.5'
  };
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', paths[kind]);
  svg.append(path);
  return svg;
}

function sign(kind, label) {
  const node = el('span', 'sign');
  node.title = label;
  node.setAttribute('role', 'img');
  node.setAttribute('aria-label', label);
  node.append(arrow(kind));
  return node;
}

function whyLink(callId) {
  const link = el('a', 'why', 'why?');
  link.href = `api/calls/${encodeURIComponent(callId)}`;
  link.target = '_blank';
  link.rel = 'noopener';
  link.title = 'Events, decision and deliveries of this call';
  return link;
}

// --- the employees' screens ------------------------------------------------

function screen(user, extension) {
  let one = screens.get(user);
  if (!one) {
    const element = el('article', 'screen');
    const person = el('div', 'person');
    const initial = el('span', 'initial', capitalised(user).charAt(0));
    initial.setAttribute('aria-hidden', 'true');
    person.append(initial, el('span', '', capitalised(user)), el('span', 'extension', extension));
    one = { cards: el('div', 'cards'), last: el('p', 'last') };
    element.append(person, one.cards, one.last);
    byId('screens').append(element);
    screens.set(user, one);
  }
  return one;
}

function showCard(data) {
  dropCard(data.id);
  const place = screen(String(data.user), String(data.extension));
  // A new card needs the place; why the last one went stays in the line below.
  place.cards.querySelectorAll('.over').forEach((over) => over.remove());

  const element = el('div', data.direction === 'out' ? 'card out' : 'card');
  const line = el('div', 'line');
  const state = el('span', 'state', data.direction === 'out' ? '↗ calling' : '↘ incoming');
  const age = el('span', 'age');
  line.append(state, age);
  const who = el('div', 'who');
  who.append(partyNode(data));
  element.append(line, who);
  if (data.number && data.entity && data.entity.name) {
    element.append(el('div', 'detail', telephone(data.number)));
  }
  if (data.did) {
    element.append(el('div', 'detail', `to ${telephone(data.did)}`));
  }
  place.cards.prepend(element);
  const card = { data, place, element, state, age };
  cards.set(data.id, card);
  drawAge(card);
}

function drawAge(card) {
  card.age.textContent = duration((Date.now() + clockOffset - card.data.shownAt) / 1000);
}

function endCard(end) {
  const card = cards.get(end.id);
  if (!card) {
    return;
  }
  cards.delete(end.id);
  const why = whyCardEnded(end);
  drawAge(card);
  card.state.textContent = why;
  card.element.classList.add('over');
  if (['ended', 'answered-elsewhere', 'unanswered', 'expired'].includes(end.reason)) {
    card.element.classList.add(end.reason);
  }
  card.place.last.textContent = `last: ${why}, ${party(card.data)}`;
  setTimeout(() => card.element.remove(), LEAVE_MS);
}

function dropCard(id) {
  const card = cards.get(id);
  if (card) {
    card.element.remove();
    cards.delete(id);
  }
}

// --- the lists -------------------------------------------------------------

function list(id) {
  const element = byId(id);
  const more = element.parentElement.querySelector('.more');
  const entries = new Map();

  function count() {
    more.hidden = entries.size <= 10;
    more.textContent = element.classList.contains('all') ? 'Show fewer' : `Show all ${entries.size}`;
  }

  more.addEventListener('click', () => {
    element.classList.toggle('all');
    count();
  });

  return {
    clear() {
      entries.clear();
      element.replaceChildren();
      count();
    },
    // A repeated id replaces its entry where it stands: it is the same call.
    put(key, node, fresh) {
      const old = entries.get(key);
      if (old) {
        old.replaceWith(node);
      } else {
        element.prepend(node);
      }
      entries.set(key, node);
      if (entries.size > KEPT) {
        const oldest = entries.keys().next().value;
        entries.get(oldest).remove();
        entries.delete(oldest);
      }
      if (fresh) {
        node.classList.add('fresh');
      }
      count();
    }
  };
}

const calls = list('calls');
const missedCalls = list('missed');

function heading(record) {
  const who = el('div', 'who');
  who.append(partyNode(record));
  if (record.number && record.entity && record.entity.name) {
    who.append(el('span', 'number', telephone(record.number)));
  }
  if (record.rawNumber) {
    who.title = `as it came: ${record.rawNumber}`;
  }
  return who;
}

// Two lines: who and how it went; the details and the question.
function entry(className, signNode, record, details, outcome, callId) {
  const node = el('li', className);
  const text = el('div', 'text');
  const first = el('div', 'row');
  first.append(heading(record), outcome);
  const second = el('div', 'row');
  second.append(el('div', 'detail', details.join(' · ')), whyLink(callId));
  second.title = `began ${timeOfDay(record.startedAt)}, ended ${timeOfDay(record.endedAt)}`;
  text.append(first, second);
  node.append(signNode, text);
  return node;
}

function putCall(call, fresh) {
  const details = [timeOfDay(call.endedAt), employee(call.extension, call.user)];
  if (call.did) {
    details.push(`via ${telephone(call.did)}`);
  }
  if (call.forwardedTo) {
    details.push(`forwarded to ${telephone(call.forwardedTo)}`);
  }
  if (call.recordingId) {
    details.push('recorded');
  }
  const [word, tone] = RESULTS[call.result] || [String(call.result), ''];
  const outcome = el('div', 'outcome');
  outcome.append(el('span', `badge ${tone}`.trim(), word));
  if (call.talkSeconds > 0) {
    outcome.append(el('span', 'talk', duration(call.talkSeconds)));
  }
  const out = call.direction === 'out';
  calls.put(call.id, entry(out ? 'entry out' : 'entry', sign(out ? 'out' : 'in', out ? 'outgoing' : 'incoming'),
    call, details, outcome, call.callId), fresh);
}

function placeOf(place) {
  const words = { ivr: 'menu', queue: 'queue', phone: 'phone' };
  return [words[place.type] || 'place', place.extension || 'unknown'].join(' ');
}

function putMissedCall(missed, fresh) {
  const served = missed.servedAt !== undefined;
  const details = [timeOfDay(missed.endedAt), placeOf(missed.place)];
  details.push(missed.user ? `for ${capitalised(String(missed.user))}` : 'nobody responsible');
  const outcome = el('div', 'outcome');
  outcome.append(
    el('span', served ? 'badge good' : 'badge bad', served ? `served ${timeOfDay(missed.servedAt)}` : 'not served'));
  missedCalls.put(missed.id, entry(served ? 'entry missed served' : 'entry missed',
    served ? sign('served', 'missed, then served') : sign('missed', 'missed'),
    missed, details, outcome, missed.id), fresh);
}

// --- the feed --------------------------------------------------------------

function drawCounters(counters) {
  byId('count-cards').textContent = counters.cards;
  byId('count-calls').textContent = counters.calls;
  byId('count-talk').textContent = duration(counters.talkSeconds);
  byId('count-missed').textContent = counters.missed;
  byId('count-served').textContent = counters.served;
}

function drawState(state) {
  clockOffset = state.now - Date.now();
  cards.clear();
  screens.clear();
  byId('screens').replaceChildren();
  calls.clear();
  missedCalls.clear();
  state.employees.forEach((one) => {
    employeesByExtension.set(one.extension, one.user);
    screen(one.user, one.extension);
  });
  state.cards.forEach(showCard);
  state.calls.forEach((call) => putCall(call, false));
  state.missedCalls.forEach((missed) => putMissedCall(missed, false));
  drawCounters(state.counters);
}

function connection(state, text) {
  byId('connection').dataset.state = state;
  byId('connection').textContent = text;
}

function follow() {
  const feed = new EventSource('demo/events');
  feed.addEventListener('open', () => connection('live', 'live'));
  feed.addEventListener('error', () => {
    connection('lost', 'connection lost, trying again');
    // The browser tries again by itself, except after an answer such as 503.
    if (feed.readyState === EventSource.CLOSED) {
      setTimeout(follow, 5000);
    }
  });
  feed.addEventListener('state', (event) => drawState(JSON.parse(event.data)));
  const on = (kind, draw) => feed.addEventListener(kind, (event) => {
    const change = JSON.parse(event.data);
    draw(change.entry, true);
    drawCounters(change.counters);
  });
  on('card', showCard);
  on('card-end', endCard);
  on('call', putCall);
  on('missed-call', putMissedCall);
}

setInterval(() => cards.forEach(drawAge), 500);
follow();
