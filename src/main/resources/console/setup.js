import { badge, button, el, field, foreign, table } from './dom.js';
import { get, post, query } from './api.js';
import { refused, told } from './actions.js';
import { ago, clock, moment, t, has, word, wrong } from './words.js';

/** Is every PBX connected as it should, and does every CRM answer? */
export async function setup(page) {
  const { pbxs, crms, wrongSecret } = await get('api/setup');
  page.show(pbxs.map((each) => pbx(each, page)), wrongSecret.count ? el('p', { class: 'trouble' },
    t('setup.wrongSecret', { n: wrongSecret.count, ago: ago(wrongSecret.lastAt) })) : null, crms.map((each) => crm(each, page)));
}

function pbx({ pbx: name, webhook, tcpPort, asterisk, lastEvent, lastRefusal, clockSeconds, unclear, ignored, unmapped }, page) {
  return el('section', { class: 'panel' }, el('h2', {}, `${t('pbx')} ${name}`),
    webhook ? address(webhook, name, page) : null,
    tcpPort ? el('p', {}, t('setup.tcp', { port: tcpPort })) : null,
    asterisk ? el('p', {}, t('setup.asterisk', { host: asterisk.host, port: asterisk.port })) : null,
    lastRefusal ? el('p', { class: 'trouble' }, t('setup.refusal', { ago: ago(lastRefusal.at) }), ' ', foreign(lastRefusal.reason)) : null,
    clockSeconds === undefined ? null : el('p', wrong(clockSeconds) ? { class: 'trouble' } : {}, clock(clockSeconds),
      wrong(clockSeconds) ? ` ${t('setup.clock.advice')}` : null),
    unclear.map((each) => el('p', { class: 'trouble' }, t(`setup.unclear.${each.field}`, { pbx: name, ago: ago(each.at) }), ' ', foreign(each.value))),
    ignored.length ? [el('h3', {}, t('setup.ignored')), table(t('setup.ignored'), [t('when'), t('what'), t('reason')],
      ignored.map((each) => [moment(each.at), foreign(each.type), word('ignored', each.reason)]))] : null,
    el('h3', {}, t('setup.unmapped')), unmapped.length ? [el('p', {}, t('setup.unmapped.advice', { pbx: name })),
      table(t('setup.unmapped'), [t('extension'), t('setup.calls'), t('setup.last')],
        unmapped.map((each) => [foreign(each.extension), each.calls, moment(each.lastAt)]))]
      : el('p', { class: 'empty' }, t('setup.unmapped.none')),
    el('h3', {}, t('setup.event')), lastEvent ? event(lastEvent) : el('p', { class: 'empty' }, t('setup.event.none')));
}

/** Below this page, wherever a proxy has put it. */
const whole = (webhook) => new URL(webhook.slice(1), document.baseURI).href;

/** With the secret only for who asks for it, which is written down. */
function address(webhook, name, page) {
  const text = el('input', { readonly: true, value: whole(webhook), 'aria-label': t('setup.webhook') });
  const show = button(t('setup.show'), async () => {
    try {
      text.value = whole((await post(`api/setup/pbxs/${encodeURIComponent(name)}/webhook`)).webhook);
      show.replaceWith(copy);
      copy.focus();
    } catch (reason) {
      refused(page, reason);
    }
  });
  const copy = button(t('copy'), async () => {
    try {
      await navigator.clipboard.writeText(text.value);
      told(t('copied'));
    } catch {
      // A page that is not served by https may not copy: then it is marked, for the keyboard.
      text.focus();
      text.select();
      told(t('copy.byHand'), 'warn');
    }
  });
  return el('div', {}, el('p', {}, t('setup.webhook.advice')), el('div', { class: 'copy' }, text, show));
}

function event({ arrivedAt, callId, type, fields }) {
  return [el('p', {}, `${type} · ${moment(arrivedAt)} · `, el('a', { href: `#/calls/${encodeURIComponent(callId)}` }, foreign(callId))),
    table(t('setup.event'), [t('field'), t('value'), t('setup.read')], fields.map(({ name, value, known }) => [
      el('code', {}, foreign(name)), foreign(value),
      known ? has(`field.${name}`) ? t(`field.${name}`) : t('setup.known') : badge('open', t('setup.unknown'))]))];
}

function crm({ crm: name, capabilities }, page) {
  const steps = el('div', { 'aria-live': 'polite' });
  const number = el('input', { name: 'number', inputmode: 'tel', autocomplete: 'off' });
  return el('section', { class: 'panel' }, el('h2', {}, `${t('crm')} ${name}`),
    el('p', { class: 'about' }, t('setup.capabilities'), ' ', capabilities.map((each) => word('operation', each)).join(', ')),
    el('form', { class: 'search', onsubmit: async (event_) => {
      event_.preventDefault();
      steps.replaceChildren(el('p', { class: 'wait' }, t('wait')));
      try {
        const answer = await post(`api/setup/crms/${encodeURIComponent(name)}/check${query({ number: number.value.trim() })}`);
        steps.replaceChildren(el('ol', { class: 'steps' }, answer.steps.map((each) => step(each, name))));
      } catch (reason) {
        steps.replaceChildren();
        if (reason.status === 400) {
          steps.append(el('p', { class: 'trouble', role: 'alert' }, reason.message));
        } else {
          page.fail(reason);
        }
      }
    } }, field(t('setup.number'), number, t('setup.number.hint')), el('button', {}, t('setup.test'))), steps);
}

function step({ step: name, result, code, status, detail, millis, found }, crm) {
  return el('li', { class: result }, el('strong', {}, t(`step.${name}`)), ' ', badge(result, t(`result.${result}`)),
    millis === undefined ? null : el('small', {}, ` ${t('millis', { n: millis })}`,
      status && result === 'failed' ? ` · HTTP ${status}` : null),
    el('p', {}, code === 'ok' && name === 'lookup' ? found ? [t('check.found'), ' ', foreign(found)] : t('check.notFound')
      : t(`check.${code}`, { crm })),
    detail ? el('p', { class: 'about' }, foreign(detail)) : null);
}
