import { el, foreign, svg } from './dom.js';
import { duration, t, time, word } from './words.js';

const ROW = 34;
const TOP = 26;
const NAMES = 150;
const WIDTH = 900;
const SIGNS = { elsewhere: '↷', transfer: '⇄', forwarded: '↱' };

/** One bar per leg on an axis of time: ringing, then talking. What the picture shows is in the table beneath it too. */
export function timeline(told, firstAt) {
  const begin = Math.min(...told.map((leg) => +new Date(leg.startedAt)));
  const known = Math.max(begin + 1000, ...told.flatMap((leg) => [leg.startedAt, leg.answeredAt, leg.endedAt]).filter(Boolean)
    .map((instant) => +new Date(instant)));
  // By the clock that saw the call arrive: that of the PBX may be wrong, its differences are not.
  const now = Math.max(known, begin + Date.now() - new Date(firstAt));
  const legs = told.map((leg) => ({ ...leg, until: leg.endedAt ?? new Date(leg.result ? known : now).toISOString() }));
  const end = Math.max(known, ...legs.map((leg) => +new Date(leg.until)));
  const x = (instant) => NAMES + (WIDTH - NAMES - 20) * (new Date(instant) - begin) / (end - begin);
  const answered = legs.find((leg) => leg.answeredAt && phone(leg));
  const height = TOP + legs.length * ROW + 6;
  return el('div', { class: 'timeline' },
    el('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('timeline') },
      svg('svg', { viewBox: `0 0 ${WIDTH} ${height}`, role: 'img', 'aria-label': t('timeline.alt', { n: legs.length }) },
        axis(begin, end, x, height), legs.map((leg, i) => bar(leg, TOP + i * ROW, x, answered)))),
    el('ul', { class: 'legend' }, ['ring', 'talk', 'held'].map((kind) => el('li', { class: kind }, t(`timeline.${kind}`))),
      Object.keys(SIGNS).filter((kind) => legs.some((leg) => marks(leg, answered).includes(kind)))
        .map((kind) => el('li', { class: 'sign' }, el('span', { 'aria-hidden': 'true' }, SIGNS[kind]), t(`timeline.${kind}`)))),
    el('ol', { class: 'legs' }, legs.map((leg) => el('li', {}, words(leg, answered)))));
}

export function held(leg) {
  return leg.type === 'queue' || leg.type === 'ivr';
}

/** Somebody may answer: no IVR or queue, and no line on which an Asterisk's caller comes, but one on which he was forwarded. */
export function phone(leg) {
  return !held(leg) && (leg.type !== 'trunk' || leg.forwarded);
}

function axis(begin, end, x, height) {
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200].find((each) => (end - begin) / 1000 / each <= 8) ?? 14400;
  const lines = [];
  for (let at = 0; at * 1000 <= end - begin; at += step) {
    const place = x(begin + at * 1000);
    lines.push(svg('line', { class: 'grid', x1: place, x2: place, y1: 18, y2: height }),
      svg('text', { class: 'tick', x: place, y: 12, 'text-anchor': at ? 'middle' : 'start' }, duration(at)));
  }
  return lines;
}

function bar(leg, y, x, answered) {
  const from = x(leg.startedAt);
  const to = Math.max(from + 3, x(leg.until));
  const talk = leg.answeredAt ? Math.min(to, x(leg.answeredAt)) : to;
  const rect = (kind, left, right) => svg('rect', { class: kind, x: left, y: y + 4, width: Math.max(2, right - left),
    height: ROW - 14, rx: 4 });
  return svg('g', {},
    svg('text', { class: 'name', x: 0, y: y + 18 }, `${leg.direction === 'in' ? '→' : '←'} ${name(leg)}`.slice(0, 22)),
    held(leg) ? rect('held', from, to)
      : [talk - from > 1 ? rect('ring', from, talk) : null, leg.answeredAt ? rect('talk', talk, to) : null],
    svg('text', { class: 'mark', x: Math.min(to + 4, WIDTH - 16), y: y + 18 }, marks(leg, answered).map((kind) => SIGNS[kind]).join(' ')));
}

export function name(leg) {
  return leg.extension ? `${leg.extension}${leg.user ? ` ${leg.user}` : ''}` : party(leg);
}

/** The other side. */
export function party(leg) {
  return leg.party === 'hidden' ? t('hidden') : leg.party;
}

/** The phone rang in vain because another one was answered. */
function elsewhere(leg, answered) {
  return phone(leg) && leg.endedAt && !leg.answeredAt && answered && answered.legId !== leg.legId
    && new Date(answered.answeredAt) >= new Date(leg.startedAt) && new Date(answered.answeredAt) <= +new Date(leg.endedAt) + 1000;
}

function transferred(leg, answered) {
  return answered && leg !== answered && leg.answeredAt && !leg.local && phone(leg) && new Date(leg.startedAt) > new Date(answered.answeredAt);
}

/** What is to be told of a leg beside how long it rang and talked. */
function marks(leg, answered) {
  return [leg.forwarded ? 'forwarded' : null, elsewhere(leg, answered) ? 'elsewhere' : null,
    transferred(leg, answered) ? 'transfer' : null].filter(Boolean);
}

function words(leg, answered) {
  const seconds = (from, to) => duration((new Date(to) - new Date(from)) / 1000);
  const endless = leg.result && !leg.endedAt;
  const facts = [time(leg.startedAt), word('direction', leg.local ? 'local' : leg.direction), leg.type ? word('type', leg.type) : null,
    held(leg) ? leg.endedAt === leg.startedAt ? null : t('leg.held', { time: seconds(leg.startedAt, leg.until) })
      : leg.answeredAt || !endless ? t('leg.ring', { time: seconds(leg.startedAt, leg.answeredAt ?? leg.until) }) : null,
    leg.answeredAt && !held(leg) && !endless ? t('leg.talk', { time: seconds(leg.answeredAt, leg.until) }) : null,
    endless ? t('leg.endless') : leg.result && !held(leg) ? word('result', leg.result) : null, ...marks(leg, answered).map((kind) => t(`timeline.${kind}`))];
  return [el('strong', {}, foreign(name(leg))), ` — ${facts.filter(Boolean).join(' · ')} — `, foreign(party(leg))];
}
