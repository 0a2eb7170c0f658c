import { el } from './dom.js';
import { Refused, post } from './api.js';
import { t } from './words.js';

// What somebody does, and what he is told about it.

/** What is told about a request that was not done. */
export function trouble(reason) {
  return reason.status === 0 ? t('unreachable') : reason.message || t('refused', { status: reason.status });
}

/** Asks before something is done that cannot be taken back. */
export function confirmed(question) {
  return new Promise((resolve) => {
    const dialog = el('dialog', { 'aria-label': question, onclose: () => {
      resolve(dialog.returnValue === 'yes');
      dialog.remove();
    } }, el('form', { method: 'dialog' }, el('p', {}, question),
      el('div', { class: 'row' }, el('button', { value: 'yes' }, t('yes')),
        el('button', { value: 'no', class: 'quiet', autofocus: true }, t('no')))));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A line above the page that says what was done. */
export function told(text, kind = 'good') {
  document.querySelector('.told')?.remove();
  document.body.append(el('p', { class: `told ${kind}`, role: 'status' }, text));
}

/** Does something and says how it went. */
export async function act(path, done) {
  try {
    const answer = await post(path);
    told(done(answer));
    return true;
  } catch (reason) {
    if (!(reason instanceof Refused)) {
      throw reason;
    }
    told(trouble(reason), 'bad');
    return false;
  }
}
