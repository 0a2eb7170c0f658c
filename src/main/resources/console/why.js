import { el, field } from './dom.js';
import { get, query } from './api.js';
import { filter, lines } from './calls.js';
import { moment, t, word } from './words.js';

// "Why is this call (not) in the CRM?" always has an answer.

/** Rules by which a talk goes to the CRMs. */
const REGISTERED = ['R23', 'R30'];

/** Asks for a call by its CallID, or by number and day. */
export async function why(page) {
  const found = el('div', { 'aria-live': 'polite' });
  const callId = el('input', { name: 'callId', autocomplete: 'off', spellcheck: 'false' });
  const number = el('input', { name: 'number', inputmode: 'tel', autocomplete: 'off' });
  const day = el('input', { name: 'day', type: 'date' });
  page.show(el('p', {}, t('why.intro')),
    el('form', { class: 'search', onsubmit: (event) => {
      event.preventDefault();
      if (callId.value.trim()) {
        location.hash = `#/calls/${encodeURIComponent(callId.value.trim())}`;
      } else {
        search(number.value.trim(), day.value, found).catch(page.fail);
      }
    } }, field(t('number'), number), field(t('day'), day), field(t('callId'), callId, t('why.callId.hint')),
      el('button', {}, t('why.ask'))),
    found);
}

async function search(number, day, found) {
  const { calls } = await get(`/api/calls${query(filter({ number, from: day, to: day, limit: 50 }))}`);
  if (calls.length === 1) {
    location.hash = `#/calls/${encodeURIComponent(calls[0].callId)}`;
    return;
  }
  found.replaceChildren(...calls.length ? [el('p', {}, t('why.which')), lines(calls)] : unheard());
}

/** Of a call that Callbridge has never heard of. */
export function unheard() {
  return [el('p', { class: 'verdict bad' }, t('why.unheard')), el('ul', {},
    ['pbx', 'secret', 'number', 'purged'].map((each) => el('li', {}, t(`why.unheard.${each}`)))),
    el('p', {}, el('a', { href: '#/setup' }, t('nav.setup')))];
}

/** @return a list of {kind, text, because}: what became of the call, at each CRM, and the decision that made it so, if it needs one */
export function verdicts(call) {
  const written = call.deliveries.filter((delivery) => delivery.operation === 'call' || delivery.operation === 'missed');
  if (written.length) {
    return [...written.map(atCrm), ...missing(call, written)];
  }
  const last = call.decisions.findLast((each) => each.topic !== 'card');
  if (last?.rule === 'error') {
    return [{ kind: 'bad', text: t('why.error'), because: last }];
  } else if (call.events.some((event) => !event.processed) || !call.outcome) {
    return [{ kind: 'warn', text: t('why.processing') }];
  }
  const kind = { open: 'warn', local: 'good', unanswered: 'good' }[call.outcome] ?? 'bad';
  const because = call.outcome === 'answered' ? ofTalk(call) ?? last : last;
  if (call.outcome === 'answered' && REGISTERED.includes(because?.rule)) {
    return [{ kind, text: t('why.registered'), because }];
  }
  return [{ kind, text: t(`why.${call.outcome}`), because }];
}

/** The last decision about a leg on which somebody talked: whether the call was missed is another question. */
function ofTalk(call) {
  const talks = (call.legs ?? []).filter((leg) => leg.answeredAt && !leg.local).map((leg) => leg.legId);
  return call.decisions.findLast((each) => each.topic === 'call' && talks.includes(each.legId));
}

/** A leg that somebody talked on, and that is in no CRM. */
function missing(call, written) {
  return (call.legs ?? []).filter((leg) => leg.answeredAt && leg.endedAt && !leg.local && leg.type !== 'queue' && leg.type !== 'ivr'
    && !written.some((delivery) => delivery.key === leg.legId)).map((leg) => {
    const last = call.decisions.findLast((each) => each.topic === 'call' && each.legId === leg.legId);
    return last ? { kind: 'warn', text: t('why.leg', { extension: leg.extension ?? leg.party }), because: last } : null;
  }).filter(Boolean);
}

function atCrm(delivery) {
  const attempt = delivery.attempts.at(-1);
  const values = { crm: delivery.crm, what: word('operation', delivery.operation), who: delivery.request?.user ?? t('nobody'),
    at: attempt ? moment(attempt.at) : '', tries: delivery.attempts.length, answer: attempt ? answerOf(attempt) : '',
    next: delivery.nextAt ? moment(delivery.nextAt) : '' };
  const kind = { delivered: 'good', pending: 'warn' }[delivery.state] ?? 'bad';
  const key = delivery.state === 'pending' && !attempt ? 'why.at.waiting' : `why.at.${delivery.state}`;
  return { kind, text: t(key, values) };
}

export function answerOf({ status, answer }) {
  return [status ? `HTTP ${status}` : t('noAnswer'), answer].filter(Boolean).join(': ');
}
