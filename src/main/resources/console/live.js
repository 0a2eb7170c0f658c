import { badge, el, foreign, redraw } from './dom.js';
import { trouble } from './actions.js';
import { listen, pageOf } from './api.js';
import { held, party, phone } from './timeline.js';
import { ago, clock, duration, t, time, word, wrong } from './words.js';

/** Calls in progress, and whether every PBX is heard and every CRM takes calls. */
export async function live(page) {
  const heard = {};
  const clocks = { calls: [], status: [] };
  let ahead = 0; // the server's clock before this one, in milliseconds
  const connections = el('section', { class: 'cards', 'aria-label': t('live.connections') });
  const calls = el('section', { class: 'calls', 'aria-label': t('live.calls') });
  const note = el('p', { class: 'trouble', role: 'status', hidden: true });
  page.show(note, el('h2', {}, t('live.calls')), calls, el('h2', {}, t('live.connections')), connections);
  calls.append(el('p', { class: 'wait' }, t('wait')));

  const stop = listen('api/live', (kind, content) => {
    if (page.gone()) {
      return;
    }
    if (kind === null) {
      if (content.status === 401) {
        page.fail(content);
      }
      note.textContent = content.status ? trouble(content) : t('live.lost');
    }
    note.hidden = kind !== null;
    if (kind === 'status') {
      ahead = new Date(content.at) - Date.now();
      draw(kind, { ...content, at: null }, connections, state);
    } else if (kind === 'calls') {
      draw(kind, content, calls, inProgress);
    }
  });

  /** Anew only what changed: a link must stay where somebody is about to press it. */
  function draw(kind, content, place, make) {
    const text = JSON.stringify(content);
    if (heard[kind] !== text) {
      heard[kind] = text;
      clocks[kind] = [];
      redraw(place, ...make(content, (words) => {
        const node = el('span', { class: 'clock' }, words(Date.now() + ahead));
        clocks[kind].push(() => {
          node.textContent = words(Date.now() + ahead);
        });
        return node;
      }));
    }
  }

  const clock = setInterval(() => Object.values(clocks).flat().forEach((tick) => tick()), 1000);
  page.leaving(() => {
    stop();
    clearInterval(clock);
  });
}

/** @param running makes a text that follows the clock, from a function of the time */
function inProgress({ calls, more }, running) {
  if (calls.length === 0) {
    return [el('p', { class: 'empty' }, t('live.none'))];
  }
  return [...calls.map((call) => {
    // By the clock that saw the call arrive: that of the PBX may be wrong, its differences are not.
    const begin = Math.min(...call.legs.map((leg) => +new Date(leg.startedAt)));
    const since = (instant) => running((now) => duration((now - new Date(call.firstAt) - (new Date(instant) - begin)) / 1000));
    return el('article', { class: `call ${call.direction}` },
      el('h3', {}, el('a', { href: pageOf(call) }, call.number ? foreign(call.number) : t('hidden'))),
      el('p', { class: 'about' }, `${word('direction', call.direction)} · ${call.pbx} · `, since(begin)),
      el('ul', {}, call.legs.filter((leg) => !leg.result && (phone(leg) || held(leg))).map((leg) => line(leg, since))));
  }), more ? el('p', { class: 'empty' }, t('live.more')) : null].filter(Boolean);
}

function line(leg, since) {
  const kind = held(leg) ? 'held' : leg.answeredAt ? 'talk' : 'ring';
  return el('li', { class: kind }, badge(kind, kind === 'held' ? word('type', leg.type) : t(`live.${kind}`)), ' ',
    el('strong', {}, foreign(leg.extension ?? party(leg))), leg.user ? [' ', foreign(leg.user)] : null,
    ' ', since(leg.answeredAt ?? leg.startedAt));
}

function state({ pbxs, crms, store }, running) {
  return [store.since ? card(t('store'), 'bad', downSince(store.since, running), [t('store.away'), store.reason]) : null,
    ...pbxs.map((each) => pbx(each, running)), ...crms.map((each) => crm(each, running)),
    store.waiting > 100 ? card(t('store'), 'bad', t('store.waiting', { n: store.waiting })) : null].filter(Boolean);
}

function pbx({ pbx: name, kinds, asterisk, lastEventAt, clockSeconds = 0 }, running) {
  const last = lastEventAt ? running((now) => t('live.last', { ago: ago(lastEventAt, now) })) : t('live.silent');
  const down = asterisk?.state === 'down';
  const deaf = asterisk?.state === 'connected' && asterisk.reason;
  return card(`${t('pbx')} ${name}`, down || deaf ? 'bad' : lastEventAt && !wrong(clockSeconds) ? 'good' : 'warn', down
    ? downSince(asterisk.since, running) : deaf ? t('live.deaf') : asterisk?.state === 'elsewhere' ? t('live.elsewhere') : last,
    down || deaf ? asterisk.reason : [kinds.join(', '), wrong(clockSeconds) ? clock(clockSeconds) : null].filter(Boolean));
}

function crm({ crm: name, state: now, since: from, reason, waiting, dead }, running) {
  const lines = [reason ? foreign(reason) : null, waiting ? link('pending', name, t('live.waiting', { n: waiting })) : null,
    dead ? link('dead', name, t('live.dead', { n: dead })) : null].filter(Boolean);
  return card(`${t('crm')} ${name}`, now !== 'up' ? 'bad' : dead ? 'warn' : 'good',
    now === 'refused' ? running((at) => t('live.refused', { crm: name, at: time(from), ago: ago(from, at) }))
      : now === 'down' ? downSince(from, running) : t('live.up'), lines);
}

function downSince(instant, running) {
  return running((now) => t('live.down', { at: time(instant), ago: ago(instant, now) }));
}

function link(state, crm, text) {
  return el('a', { href: `#/deliveries/${state}/${encodeURIComponent(crm)}` }, text);
}

function card(title, kind, text, more) {
  return el('article', { class: `state ${kind}` }, el('h3', {}, title), el('p', {}, text),
    more && more.length ? el('p', { class: 'about' },
      Array.isArray(more) ? more.map((each, i) => i ? [' · ', each] : each) : more) : null);
}
