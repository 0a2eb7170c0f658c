import { el, field } from './dom.js';
import { get, pageOf, query } from './api.js';
import { filter, lines } from './calls.js';
import { party, phone } from './timeline.js';
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
        search(number.value.trim(), day.value, found, page).catch(page.fail);
      }
    } }, field(t('number'), number), field(t('day'), day), field(t('callId'), callId, t('why.callId.hint')),
      el('button', {}, t('why.ask'))),
    found);
}

async function search(number, day, found, page) {
  const { calls } = await get(`api/calls${query(filter({ number, from: day, to: day, limit: 50 }))}`);
  if (page.gone()) {
    return;
  }
  if (calls.length === 1) {
    location.hash = pageOf(calls[0]);
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
    return [...written.map((delivery) => atCrm(delivery, call.crms)), ...absent(call, written), ...missing(call, written)];
  }
  const last = call.decisions.findLast((each) => each.topic === 'call' || each.topic === 'missed');
  if (last?.rule === 'error') {
    return [{ kind: 'bad', text: t('why.error'), because: last }];
  } else if (call.events.some((event) => !event.processed) || !call.outcome) {
    return [{ kind: 'warn', text: t('why.processing') }];
  }
  const kind = { open: 'warn', local: 'good', unanswered: 'good' }[call.outcome] ?? 'bad';
  const because = call.outcome === 'answered' ? ofTalk(call) ?? last
    : call.outcome === 'unanswered' ? call.decisions.findLast((each) => each.topic === 'call' && each.rule === 'R52') ?? last : last;
  if (call.outcome === 'answered' && REGISTERED.includes(because?.rule)) {
    return [{ kind, text: t('why.registered'), because }];
  }
  if (call.outcome === 'unanswered' && because?.topic === 'missed' && !call.crms.some((crm) => crm.capabilities.includes('missed'))) {
    return [{ kind: 'warn', text: t('why.unanswered.missed'), because }];
  }
  return [{ kind, text: t(`why.${call.outcome}`), because }];
}

/** The last decision about a leg on which somebody talked: whether the call was missed is another question. */
function ofTalk(call) {
  const talks = (call.legs ?? []).filter((leg) => leg.answeredAt && !leg.local && phone(leg)).map((leg) => leg.legId);
  return call.decisions.findLast((each) => each.topic === 'call' && talks.includes(each.legId));
}

/** A leg that somebody talked on, and that is in no CRM. */
function missing(call, written) {
  return (call.legs ?? []).filter((leg) => leg.answeredAt && leg.endedAt && !leg.local && phone(leg)
    && !written.some((delivery) => delivery.key === leg.legId)).map((leg) => {
    const last = call.decisions.findLast((each) => each.topic === 'call' && each.legId === leg.legId);
    return last ? { kind: 'warn', text: t('why.leg', { extension: leg.extension ?? party(leg) }), because: last } : null;
  }).filter(Boolean);
}

/** An active CRM that has nothing of a call that another one has. */
function absent(call, written) {
  const operation = written[0].operation;
  return call.crms.filter(({ crm }) => !written.some((delivery) => delivery.crm === crm)).map(({ crm, capabilities }) =>
    capabilities.includes(operation) ? { kind: 'warn', text: t('why.absent', { crm }) }
      : { kind: 'good', text: t('why.cannot', { crm, what: word('operation', operation) }) });
}

function atCrm(delivery, crms) {
  const attempt = delivery.attempts.at(-1);
  const active = crms.find(({ crm }) => crm === delivery.crm);
  const values = { crm: delivery.crm, what: word('operation', delivery.operation), who: delivery.request?.user ?? t('nobody'),
    at: attempt ? moment(attempt.at) : '', tries: delivery.attempts.length, answer: attempt ? isolated(answerOf(attempt)) : '',
    next: delivery.nextAt ? moment(delivery.nextAt) : '', since: active?.downSince ? moment(active.downSince) : '' };
  if (delivery.state === 'delivered' && attempt?.answer) {
    return { kind: 'warn', text: t('why.at.skipped', { ...values, answer: isolated(attempt.answer) }) };
  } else if (delivery.state === 'delivered') {
    return { kind: 'good', text: t('why.at.delivered', values) };
  } else if (delivery.state === 'dead') {
    return { kind: 'bad', text: t(attempt && passing(attempt.status) ? 'why.at.gaveUp' : 'why.at.dead', values) };
  } else if (delivery.state !== 'pending') {
    return { kind: 'bad', text: t(`why.at.${delivery.state}`, values) };
  }
  return { kind: 'warn', text: t(`why.at.${!active ? 'inactive' : active.downSince && !attempt?.status ? 'down' : attempt ? 'pending' : 'waiting'}`, values) };
}

/** An answer, or none, that means "later". */
function passing(status) {
  return !status || status === 408 || status === 429 || status >= 500;
}

/** A CRM's own words: marks of direction in them turn nothing else around. */
function isolated(text) {
  return `\u2068${text}\u2069`;
}

export function answerOf({ status, answer }) {
  return [status ? `HTTP ${status}` : t('noAnswer'), answer].filter(Boolean).join(': ');
}
