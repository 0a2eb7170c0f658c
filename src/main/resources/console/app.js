import { told, trouble } from './actions.js';
import { button, el, svg } from './dom.js';
import { Refused, post } from './api.js';
import { currentLanguage, speak, t } from './words.js';
import { audit } from './audit.js';
import { call } from './call.js';
import { calls } from './calls.js';
import { deliveries } from './deliveries.js';
import { live } from './live.js';
import { reprocess } from './reprocess.js';
import { setup } from './setup.js';
import { why } from './why.js';

// The frame of the console: which page is shown, in which language and theme, and who may see it.

const PAGES = { live, calls, why, deliveries, reprocess, setup, audit };
const THEME = 'callbridge-theme';
const THEMES = ['auto', 'light', 'dark'];

const root = document.createElement('div');

let leave = () => {};
let shown = 0;

function theme() {
  return localStorage.getItem(THEME) ?? 'auto';
}

function paint() {
  if (theme() === 'auto') {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = theme();
  }
}

function header(name) {
  const other = currentLanguage() === 'en' ? 'ru' : 'en';
  return el('header', { class: 'top' },
    el('a', { class: 'skip', href: '#main', onclick: (event) => {
      event.preventDefault();
      document.querySelector('h1').focus();
    } }, t('skip')),
    el('a', { class: 'brand', href: '#/live' },
      svg('svg', { class: 'mark', viewBox: '0 0 32 32', 'aria-hidden': 'true' }, svg('rect', { width: 32, height: 32, rx: 9 }),
        svg('path', { d: 'M5 21h22M8 21c0-12 16-12 16 0M12 21v-7M20 21v-7' })),
      'Callbridge'),
    el('nav', { 'aria-label': t('nav') }, Object.keys(PAGES).map((page) => el('a', {
      href: `#/${page}`, 'aria-current': page === name || page === 'calls' && name === 'call' ? 'page' : null,
      onclick: (event) => {
        // A link to where one is changes nothing by itself.
        if (event.target.hash === location.hash) {
          show();
        }
      },
    }, t(`nav.${page}`)))),
    el('div', { class: 'switches' },
      el('button', { type: 'button', name: 'language', class: 'quiet', lang: other, onclick: () => {
        speak(other);
        show('language');
      } }, other === 'en' ? 'English' : 'Русский'),
      el('button', { type: 'button', name: 'theme', class: 'quiet', onclick: (event) => {
        localStorage.setItem(THEME, THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
        paint();
        event.target.textContent = t(`theme.${theme()}`);
      } }, t(`theme.${theme()}`)),
      document.body.dataset.demo === 'true' ? null : el('button', { type: 'button', name: 'leave', class: 'quiet',
        onclick: () => post('logout').then(() => location.reload(), (reason) => fail(document.querySelector('main'), reason)) }, t('leave'))));
}

/** The parts of the address behind #, broken percent-encoding as it is. */
function place() {
  const parts = location.hash.split('/').slice(1);
  try {
    return parts.map(decodeURIComponent);
  } catch {
    return parts;
  }
}

/** @param pressed the name of the switch that asks for it, which stays the one that the keyboard is at */
async function show(pressed) {
  if (location.hash.startsWith('#token=')) {
    // Of somebody who has logged in before.
    history.replaceState(null, '', location.pathname + location.search);
  }
  leave();
  leave = () => {};
  const mine = ++shown;
  const [name = 'live', ...rest] = place();
  const page = name === 'calls' && rest[0] ? 'call' : Object.hasOwn(PAGES, name) ? name : 'live';
  const main = el('main', { id: 'main' }, el('p', { class: 'wait', role: 'status' }, t('wait')));
  document.documentElement.lang = currentLanguage();
  document.title = `${t(`nav.${page}`)} · Callbridge`;
  root.replaceChildren(header(page), main);
  if (pressed) {
    root.querySelector(`[name=${pressed}]`).focus();
  }
  const context = {
    main,
    parameters: rest,
    show: (...content) => main.replaceChildren(el('div', { class: 'title' }, el('h1', { tabindex: -1 }, t(`nav.${page}`)),
      page === 'live' ? null : button(t('refresh'), () => show(), 'quiet')), ...content.flat(9).filter(Boolean)),
    /** Called when the page is left. */
    leaving: (act) => {
      leave = act;
    },
    gone: () => mine !== shown,
    again: () => show(),
    fail: (reason) => fail(main, reason),
  };
  try {
    await (page === 'call' ? call : PAGES[page])(context);
  } catch (reason) {
    if (mine === shown) {
      fail(main, reason);
    }
  }
  // Not the first time: a page that was just opened is read from its begin.
  if (mine === shown && mine > 1 && document.activeElement === document.body) {
    document.querySelector('h1')?.focus();
  }
}

function fail(main, reason) {
  if (!(reason instanceof Refused)) {
    throw reason;
  }
  if (reason.status === 401) {
    // There somebody asks who it is.
    location.reload();
  } else {
    main.replaceChildren(el('h1', { tabindex: -1 }, t('failed')), el('p', { class: 'trouble', role: 'alert' }, trouble(reason)),
      button(t('again'), () => show()));
  }
}

window.addEventListener('hashchange', () => {
  document.activeElement?.blur();
  told('');
  show();
});
paint();
document.body.append(root);
show();
