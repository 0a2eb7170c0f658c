import { el } from './dom.js';
import { Refused, post } from './api.js';
import { t } from './words.js';

// What somebody does, and what he is told about it.

const TOLD_MS = 15_000;
/** There from the begin, since a screen reader tells only what changes. */
const line = el('p', { class: 'told', role: 'status' });
let silence = null;
document.body.append(line);

/** What is told about a request that was not done. */
export function trouble(reason) {
  return reason.status === 0 ? t('unreachable') : reason.message || t('refused', { status: reason.status });
}

/** Asks before something is done that cannot be taken back; who leaves the page has not agreed. */
export function confirmed(question) {
  return new Promise((resolve) => {
    const left = () => dialog.close('no');
    const dialog = el('dialog', { 'aria-label': question, onclose: () => {
      window.removeEventListener('hashchange', left);
      resolve(dialog.returnValue === 'yes');
      dialog.remove();
    } }, el('form', { method: 'dialog' }, el('p', {}, question),
      el('div', { class: 'row' }, el('button', { value: 'yes' }, t('yes')),
        el('button', { value: 'no', class: 'quiet', autofocus: true }, t('no')))));
    window.addEventListener('hashchange', left);
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A line above the page that says what was done, for a while. */
export function told(text, kind = 'good') {
  clearTimeout(silence);
  line.className = `told ${kind}`;
  line.textContent = text;
  silence = setTimeout(() => told(''), TOLD_MS);
}

/** Does something and says how it went. @return whether it was done */
export async function act(page, path, done) {
  told('');
  try {
    told(done(await post(path)));
    return true;
  } catch (reason) {
    refused(page, reason);
    return false;
  }
}

/** Says why something was not done; who may not do it has to say who he is. */
export function refused(page, reason) {
  if (!(reason instanceof Refused) || reason.status === 401) {
    page.fail(reason);
  } else {
    told(trouble(reason), 'bad');
  }
}
