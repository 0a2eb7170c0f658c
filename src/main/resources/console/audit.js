import { button, el, foreign, table } from './dom.js';
import { get, query } from './api.js';
import { moment, t, word } from './words.js';

/** Who did what, and when. */
export async function audit(page) {
  const rows = [];
  const list = el('div', { 'aria-live': 'polite' });
  let next = null;
  const more = async () => {
    const answer = await get(`/api/audit${query({ after: next })}`);
    rows.push(...answer.entries);
    next = answer.next ?? null;
    if (!page.gone()) {
      const head = [t('when'), t('who'), t('audit.action'), t('audit.subject')];
      list.replaceChildren(rows.length ? table(t('nav.audit'), head, rows.map((row) => [moment(row.at), foreign(word('who', row.who)),
        word('action', row.action), [foreign(row.subject), row.detail ? [' ', foreign(row.detail)] : null]]))
        : el('p', { class: 'empty' }, t('audit.none')), next ? button(t('more'), () => more().catch(page.fail), 'quiet') : '');
    }
  };
  page.show(list);
  await more();
}
