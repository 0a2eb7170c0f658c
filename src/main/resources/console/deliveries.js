import { badge, button, el, field, foreign, select, table } from './dom.js';
import { Refused, get, pageOf, post, query } from './api.js';
import { act, confirmed, told, trouble } from './actions.js';
import { paged } from './paged.js';
import { answerOf } from './why.js';
import { moment, t, word } from './words.js';

const STATES = ['pending', 'failing', 'dead', 'delivered', 'dropped', 'discarded'];
/** What can be sent at once: what waits too, instead of at its time. What was dropped is over. */
export const RETRIED = ['pending', 'failing', 'dead', 'discarded'];
export const DISCARDED = ['pending', 'failing', 'dead'];

/** The outbox: what waits, fails, or is dead, and what can be done about it. */
export async function deliveries(page) {
  const [state = 'dead', crm = ''] = page.parameters;
  const { crms } = await get('api/status');
  const list = el('div');
  const chosen = new Map();
  let total = 0;
  const find = paged(page, list, async (after) => {
    const answer = await get(`api/deliveries${query({ state, crm, after })}`);
    total = answer.total ?? total;
    return [answer.deliveries, answer.next];
  }, (rows) => rows.length ? lines(rows, chosen, total, state, crm, page) : el('p', { class: 'empty' }, t('deliveries.none')));
  const choose = select('crm', [['', t('any')], ...crms.map((each) => [each.crm, each.crm])], crm);
  choose.addEventListener('change', () => {
    location.hash = address(state, choose.value);
  });
  page.show(el('nav', { class: 'tabs', 'aria-label': t('state') }, STATES.map((each) => el('a', {
    href: address(each, crm), 'aria-current': each === state ? 'page' : null }, word('state', each)))),
    el('div', { class: 'search' }, field(t('crm'), choose)), list);
  await find();
}

function address(state, crm) {
  return `#/deliveries/${state}${crm ? `/${encodeURIComponent(crm)}` : ''}`;
}

/**
 * @param chosen the boxes of the rows, by id: they stay as they are when more rows come
 * @param total how many there are, shown or not
 */
function lines(rows, chosen, total, state, crm, page) {
  rows.filter((row) => !chosen.has(row.id)).forEach((row) => chosen.set(row.id,
    el('input', { type: 'checkbox', 'aria-label': t('choose', { what: `${word('operation', row.operation)} ${row.key}` }) })));
  const each = async (what) => {
    const ids = [...chosen].filter(([, box]) => box.checked).map(([id]) => id);
    if (ids.length === 0 || what === 'discard' && !await confirmed(t('deliveries.discard.sure', { n: ids.length })) || page.gone()) {
      return;
    }
    actions.querySelectorAll('button').forEach((every) => {
      every.disabled = true;
    });
    const [done, reason] = await together(ids, what, (n) => told(`${n} / ${ids.length}`));
    told(reason ? t('some.done', { n: done, of: ids.length, reason: trouble(reason) }) : t(`${what}.done`, { n: done }),
      reason ? 'bad' : 'good');
    if (!page.gone()) {
      await page.again();
    }
  };
  const all = async (what, count) => {
    if (await confirmed(t(`deliveries.${what}.all.sure`, { n: total, state: word('state', state), crm: crm || t('allCrms') })) && !page.gone()
      && await act(page, `api/deliveries/${what}${query({ state, crm })}`, (answer) => t(`${what}.done`, { n: answer[count] }))
      && !page.gone()) {
      await page.again();
    }
  };
  const mark = el('input', { type: 'checkbox', onchange: () => chosen.forEach((box) => {
    box.checked = mark.checked;
  }) });
  const actions = el('div', { class: 'row' }, el('label', { class: 'check' }, mark, ` ${t('choose.page')}`),
    RETRIED.includes(state) ? [button(t('retry.chosen'), () => each('retry')),
      button(t('retry.all'), () => all('retry', 'retried'), 'quiet')] : null,
    DISCARDED.includes(state) ? [button(t('discard.chosen'), () => each('discard'), 'quiet'),
      button(t('discard.all'), () => all('discard', 'discarded'), 'quiet')] : null);
  const acts = RETRIED.includes(state) || DISCARDED.includes(state);
  const tried = state === 'pending' || state === 'failing';
  const head = [t('created'), t('crm'), t('what'), t('call'), t('tries'), t('answer'), ...tried ? [t('next.try')] : []];
  return [acts ? actions : null, table(t('nav.deliveries'), acts ? [t('chosen'), ...head] : head, rows.map((row) => {
    const cells = [moment(row.createdAt), row.crm, [badge(row.state, word('operation', row.operation))],
      el('a', { href: pageOf(row) }, foreign(row.callId.slice(0, 12))), row.attempts,
      row.lastAttempt ? foreign(answerOf(row.lastAttempt).slice(0, 160)) : null,
      ...tried ? [row.nextAt ? moment(row.nextAt) : null] : []];
    return acts ? [chosen.get(row.id), ...cells] : cells;
  }))].filter(Boolean);
}

/** One that was changed meanwhile does not keep the others from being done. @return how many were, and why one was not */
async function together(ids, what, progress) {
  let done = 0;
  let reason = null;
  for (const id of ids) {
    try {
      await post(`api/deliveries/${id}/${what}`);
      progress(++done);
    } catch (failure) {
      if (!(failure instanceof Refused)) {
        throw failure;
      }
      reason = failure;
      if (![404, 409].includes(failure.status)) {
        break;
      }
    }
  }
  return [done, reason];
}
