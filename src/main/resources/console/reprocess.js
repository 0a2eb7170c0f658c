import { button, el, field, foreign, table } from './dom.js';
import { post, query } from './api.js';
import { confirmed, told } from './actions.js';
import { filter } from './calls.js';
import { t, word } from './words.js';

/** Folds the calls of a period again: first shown, then done. */
export async function reprocess(page) {
  const found = el('div', { 'aria-live': 'polite' });
  const from = el('input', { name: 'from', type: 'date', required: true });
  const to = el('input', { name: 'to', type: 'date' });
  page.show(el('p', {}, t('reprocess.intro')), el('form', { class: 'search', onsubmit: (event) => {
    event.preventDefault();
    run({ ...filter({ from: from.value, to: to.value }), 'dry-run': true }).catch(page.fail);
  } }, field(t('from'), from), field(t('to'), to), el('button', {}, t('reprocess.dry'))), found);

  async function run(asked) {
    found.replaceChildren(el('p', { class: 'wait' }, t('wait')));
    const result = await post(`/api/calls/reprocess${query(asked)}`);
    // What is done is what was shown, even if the form or the time says something else by now; and what is different stays as it is.
    found.replaceChildren(...summary(result), result.dryRun && result.missing > 0 ? button(t('reprocess.do'), async () => {
      if (await confirmed(t('reprocess.sure', { n: result.missing }))) {
        run({ ...asked, to: result.to, 'dry-run': false }).then(() => told(t('reprocess.done'))).catch(page.fail);
      }
    }) : '');
  }
}

function summary(result) {
  const counts = ['calls', 'missing', 'different', 'created', 'open', 'failed'].filter((name) => name !== 'created' || !result.dryRun);
  return [el('h2', {}, t(result.dryRun ? 'reprocess.would' : 'reprocess.did')),
    el('dl', { class: 'counts' }, counts.map((name) => el('div', {}, el('dt', {}, t(`reprocess.${name}`)), el('dd', {}, result[name])))),
    result.differences.length ? table(t('reprocess.differences'), [t('call'), t('crm'), t('what'), t('reprocess.kind')],
      result.differences.map((each) => [el('a', { href: `#/calls/${encodeURIComponent(each.callId)}` }, foreign(each.callId.slice(0, 12))),
        each.crm, word('operation', each.operation), t(`reprocess.${each.kind}`)])) : el('p', { class: 'empty' }, t('reprocess.same'))];
}
