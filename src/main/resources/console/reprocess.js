import { button, el, field, foreign, table } from './dom.js';
import { get, pageOf, post, query, remove } from './api.js';
import { confirmed, refused, told } from './actions.js';
import { filter } from './calls.js';
import { moment, t, word } from './words.js';

const JOBS = 'api/calls/reprocess';
const AGAIN_MS = 1_000;

/** Evaluates the calls of a period again: first shown, then done. Both are jobs, of which one runs at a time. */
export async function reprocess(page) {
  const found = el('div', { 'aria-live': 'polite' });
  const from = el('input', { name: 'from', type: 'date', required: true });
  const to = el('input', { name: 'to', type: 'date' });
  let runs = 0;
  page.show(el('p', {}, t('reprocess.intro')), el('form', { class: 'search', onsubmit: (event) => {
    event.preventDefault();
    run({ ...filter({ from: from.value, to: to.value }), 'dry-run': true }).catch(page.fail);
  } }, field(t('from'), from), field(t('to'), to), el('button', {}, t('reprocess.dry'))), found);
  const last = await get(`${JOBS}/last`);
  if (last.state === 'running' && runs === 0 && !page.gone()) {
    follow(last, ++runs).catch(page.fail);
  }

  async function run(asked) {
    const mine = ++runs;
    found.replaceChildren(el('p', { class: 'wait' }, t('wait')));
    try {
      await follow(await post(`${JOBS}${query(asked)}`), mine);
    } catch (reason) {
      if (reason.status !== 409) {
        throw reason;
      }
      told(t('reprocess.busy'), 'warn');
      await follow(await get(`${JOBS}/last`), mine);
    }
  }

  /** @param mine its number among those that this page has followed: the last one is shown */
  async function follow(job, mine) {
    let result = job;
    const bar = el('progress', { 'aria-label': t('nav.reprocess') });
    const text = el('p', { class: 'about' });
    if (mine !== runs || page.gone()) {
      return;
    }
    found.replaceChildren(el('p', {}, bar), text, button(t('reprocess.stop'), () => remove(`${JOBS}/${job.job}`)
      .catch((reason) => refused(page, reason)), 'quiet'));
    while (result.state === 'running') {
      bar.max = Math.max(1, result.of);
      bar.value = result.done;
      text.textContent = t('reprocess.progress', { done: result.done, of: result.of, n: result.missing + result.different });
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      if (mine !== runs || page.gone()) {
        return;
      }
      result = await get(`${JOBS}/${job.job}`);
    }
    if (mine === runs && !page.gone()) {
      ended(result);
    }
  }

  function ended(result) {
    if (result.state !== 'done') {
      told(t(`reprocess.${result.state}`, { done: result.done, of: result.of, reason: result.reason }), 'bad');
    } else if (!result.dryRun) {
      told(t('reprocess.done'));
    }
    const period = { from: moment(result.from), to: moment(result.to) };
    // What is done is what was shown, even if the form or the time says something else by now; and what is different stays as it is.
    found.replaceChildren(...summary(result, period), result.dryRun && result.state === 'done' && result.missing > 0
      ? button(t('reprocess.do'), async () => {
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
    el('dl', { class: 'counts' }, counts.map((name) => el('div', {}, el('dt', {}, t(`reprocess.${name === 'failed' ? 'failures' : name}`)), el('dd', {}, result[name])))),
    result.differences.length ? table(t('reprocess.differences'), [t('call'), t('crm'), t('what'), t('reprocess.kind')],
      result.differences.map((each) => [el('a', { href: pageOf(each) }, foreign(each.callId.slice(0, 12))),
        each.crm, word('operation', each.operation), kind(each)]))
      : result.failed || result.open || result.state !== 'done' ? null : el('p', { class: 'empty' }, t(result.calls ? 'reprocess.same' : 'reprocess.nothing'))].filter(Boolean);
}
