import { badge, el, field, foreign, select, table } from './dom.js';
import { get, pageOf, query } from './api.js';
import { paged } from './paged.js';
import { moment, t, word } from './words.js';

const OUTCOMES = ['', 'open', 'answered', 'missed', 'unanswered', 'local'];
const kept = { number: '', extension: '', user: '', outcome: '', from: '', to: '' };

/** Calls, found by what they were. */
export async function calls(page) {
  const list = el('div');
  // For who hears the page.
  const shown = el('p', { class: 'unseen', role: 'status' });
  const find = paged(page, list, async (after) => {
    const answer = await get(`api/calls${query({ ...filter(kept), limit: 50, after })}`);
    return [answer.calls, answer.next];
  }, (rows) => {
    shown.textContent = rows.length ? t('calls.shown', { n: rows.length }) : t('calls.none');
    return rows.length ? lines(rows) : el('p', { class: 'empty' }, t('calls.none'));
  });
  const input = (name, more = {}) => el('input', { name, value: kept[name], autocomplete: 'off', ...more });
  const form = el('form', { class: 'search', role: 'search', onsubmit: (event) => {
    event.preventDefault();
    Object.assign(kept, Object.fromEntries(new FormData(form)));
    find().catch(page.fail);
  } },
    field(t('number'), input('number', { inputmode: 'tel' })), field(t('extension'), input('extension')), field(t('user'), input('user')),
    field(t('outcome'), select('outcome', OUTCOMES.map((each) => [each, each ? word('outcome', each) : t('any')]), kept.outcome)),
    field(t('from'), input('from', { type: 'date' })), field(t('to'), input('to', { type: 'date' })),
    el('button', {}, t('search')));
  page.show(form, shown, list);
  await find();
}

/** A day is that of whoever looks, not of UTC. */
function day(date, days) {
  if (!date) {
    return '';
  }
  const [year, month, number] = date.split('-').map(Number);
  return new Date(year, month - 1, number + days).toISOString();
}

export function filter({ from, to, ...rest }) {
  return { ...rest, from: day(from, 0), to: day(to, 1) };
}

export function lines(calls) {
  return table(t('nav.calls'), [t('when'), t('number'), t('extension'), t('user'), t('outcome'), t('pbx')], calls.map((call) => [
    el('a', { href: pageOf(call) }, moment(call.firstAt)),
    call.number ? foreign(call.number) : t('hidden'), list(call.extensions), list(call.users),
    badge(call.outcome, word('outcome', call.outcome)), call.pbx]));
}

function list(texts) {
  return texts.map((text, i) => [i ? ', ' : '', foreign(text)]);
}
