import { badge, button, el, foreign, table } from './dom.js';
import { Refused, get, query } from './api.js';
import { act, confirmed, refused } from './actions.js';
import { name, timeline } from './timeline.js';
import { DISCARDED, RETRIED } from './deliveries.js';
import { answerOf, unheard, verdicts } from './why.js';
import { moment, rule, t, time, word } from './words.js';

/** Everything that is known about one call. */
export async function call(page) {
  const [callId, pbx] = page.parameters;
  let found;
  try {
    found = await get(`api/calls/${encodeURIComponent(callId)}${query({ pbx })}`);
  } catch (reason) {
    if (!(reason instanceof Refused) || reason.status !== 404) {
      throw reason;
    }
    page.show(el('p', { class: 'about' }, foreign(callId)), el('h2', {}, t('why')), unheard());
    return;
  }
  const names = new Map((found.legs ?? []).map((leg) => [leg.legId, name(leg)]));
  page.show(
    el('p', { class: 'headline' }, found.outcome ? badge(found.outcome, word('outcome', found.outcome)) : null, ' ',
      found.number ? el('strong', {}, foreign(found.number)) : t('hidden'), found.firstAt ? ` · ${moment(found.firstAt)}` : null),
    el('p', { class: 'about' }, `${t('pbx')} ${found.pbx} · ${t('callId')} `, el('code', {}, foreign(found.callId))),
    el('h2', {}, t('why')), el('ul', { class: 'verdicts' }, verdicts(found).map(verdict)),
    found.legs?.length ? [el('h2', {}, t('timeline')), timeline(found.legs, found.firstAt ?? found.legs[0].startedAt)] : null,
    el('h2', {}, t('call.deliveries')), found.deliveries.length ? found.deliveries.map((each) => delivery(each, names, page))
      : el('p', { class: 'empty' }, t('deliveries.none')),
    el('h2', {}, t('call.decisions')), decisions(found.decisions, names),
    el('h2', {}, t('call.events')), found.events.map(event));
}

function verdict({ kind, text, because }) {
  return el('li', { class: kind }, text, because ? [' ', rule(because),
    el('small', {}, foreign(`${because.rule}: ${because.reason}`))] : null);
}

/** @param names what the legs are called, by their ids */
function decisions(all, names) {
  return all.length === 0 ? el('p', { class: 'empty' }, t('decisions.none'))
    : table(t('call.decisions'), [t('when'), t('leg'), t('topic'), t('rule'), t('reason')], all.map((each) => [
      moment(each.at), each.legId ? foreign(names.get(each.legId) ?? each.legId) : t('wholeCall'), word('topic', each.topic), each.rule,
      [rule(each), el('small', {}, foreign(each.reason))]]));
}

/** With what was sent, every answer, and what can be done about it. */
function delivery(each, names, page) {
  const path = `api/deliveries/${each.id}`;
  const change = async (what) => {
    if (what === 'retry' || await confirmed(t('deliveries.discard.sure', { n: 1 }))) {
      if (!page.gone() && await act(page, `${path}/${what}`, () => t(`${what}.done`, { n: 1 }))) {
        await settled(page, path, each.attempts.length).then(() => page.gone() || page.again(), (reason) => refused(page, reason));
      }
    }
  };
  return el('details', { class: 'panel', open: each.state === 'dead' },
    el('summary', {}, badge(each.state, word('delivery', each.state)), ` ${word('operation', each.operation)} → ${each.crm}`,
      names.has(each.key) ? [' · ', foreign(names.get(each.key))] : null,
      each.nextAt && each.state === 'pending' ? ` · ${t('next', { at: moment(each.nextAt) })}` : null),
    each.attempts.length ? table(t('attempts'), [t('when'), t('answer'), t('took')], each.attempts.map((attempt) => [
      moment(attempt.at), foreign(answerOf(attempt)), t('millis', { n: attempt.millis })]))
      : el('p', { class: 'empty' }, t('attempts.none')),
    el('pre', { tabindex: 0, 'aria-label': t('request') }, JSON.stringify(each.request, null, 2)),
    el('div', { class: 'row' },
      RETRIED.includes(each.state) && each.operation !== 'card' ? button(t('retry'), () => change('retry')) : null,
      DISCARDED.includes(each.state) ? button(t('discard'), () => change('discard'), 'quiet') : null));
}

/** What was sent is shown when the CRM has answered, or after a while. */
async function settled(page, path, tries) {
  for (let i = 0; i < 20 && !page.gone(); i++) {
    const { state, attempts } = await get(path);
    if (state !== 'pending' || attempts.length > tries) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function event(each) {
  return el('details', { class: 'panel' },
    el('summary', {}, `${time(each.arrivedAt)} `, el('strong', {}, each.type), ' ', el('code', {}, foreign(each.legId)),
      each.processed ? null : [' ', badge('pending', t('unprocessed'))]),
    el('dl', { class: 'fields' }, Object.entries(each.fields).map(([field, value]) => [el('dt', {}, foreign(field)),
      el('dd', {}, foreign(value))])));
}
