import { button, el, field, foreign, table } from './dom.js';
import { pageOf, post, query } from './api.js';
import { confirmed, told } from './actions.js';
import { filter } from './calls.js';
import { moment, t, word } from './words.js';

/** Folds the calls of a period again: first shown, then done. */
export async function reprocess(page) {
  const found = el('div', { 'aria-live': 'polite' });
  const from = el('input', { name: 'from', type: 'date', required: true });
  const to = el('input', { name: 'to', type: 'date' });
  let runs = 0;
  page.show(el('p', {}, t('reprocess.intro')), el('form', { class: 'search', onsubmit: (event) => {
    event.preventDefault();
    run({ ...filter({ from: from.value, to: to.value }), 'dry-run': true }).catch(page.fail);
  } }, field(t('from'), from), field(t('to'), to), el('button', {}, t('reprocess.dry'))), found);

  async function run(asked) {
    const mine = ++runs;
    found.replaceChildren(el('p', { class: 'wait' }, t('wait')));
    const result = await post(`/api/calls/reprocess${query(asked)}`);
    if (!result.dryRun) {
      told(t('reprocess.done'));
    }
    if (mine !== runs || page.gone()) {
      return;
    }
    const period = { from: moment(result.from), to: moment(result.to) };
    // What is done is what was shown, even if the form or the time says something else by now; and what is different stays as it is.
    found.replaceChildren(...summary(result, period), result.dryRun && result.missing > 0 ? button(t('reprocess.do'), async () => {
      if (await confirmed(t('reprocess.sure', { n: result.missing, ...period })) && !page.gone()) {
        run({ from: result.from, to: result.to, 'dry-run': false }).catch(page.fail);
      }
    }) : '');
  }
}

function summary(result, period) {
  const counts = ['calls', 'missing', 'different', 'created', 'open', 'failed'].filter((name) => name !== 'created' || !result.dryRun);
  const kind = (each) => t(`reprocess.${each.kind === 'missing' && !result.dryRun ? 'created' : each.kind}`);
  return [el('h2', {}, t(result.dryRun ? 'reprocess.would' : 'reprocess.did')), el('p', { class: 'about' }, t('reprocess.period', period)),
    el('dl', { class: 'counts' }, counts.map((name) => el('div', {}, el('dt', {}, t(`reprocess.${name}`)), el('dd', {}, result[name])))),
    result.differences.length ? table(t('reprocess.differences'), [t('call'), t('crm'), t('what'), t('reprocess.kind')],
      result.differences.map((each) => [el('a', { href: pageOf(each) }, foreign(each.callId.slice(0, 12))),
        each.crm, word('operation', each.operation), kind(each)]))
      : result.failed || result.open ? null : el('p', { class: 'empty' }, t(result.calls ? 'reprocess.same' : 'reprocess.nothing'))].filter(Boolean);
}
