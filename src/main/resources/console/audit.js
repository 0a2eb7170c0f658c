import { el, foreign, table } from './dom.js';
import { get, query } from './api.js';
import { paged } from './paged.js';
import { moment, t, word } from './words.js';

/** Who did what, and when. */
export async function audit(page) {
  const list = el('div');
  page.show(list);
  await paged(page, list, async (after) => {
    const { entries, next } = await get(`api/audit${query({ after })}`);
    return [entries, next];
  }, (rows) => rows.length ? lines(rows) : el('p', { class: 'empty' }, t('audit.none')))();
}

function lines(rows) {
  return table(t('nav.audit'), [t('when'), t('who'), t('audit.action'), t('audit.subject')], rows.map((row) => [moment(row.at),
    foreign(word('who', row.who)), word('action', row.action), [foreign(row.subject), row.detail ? [' ', foreign(row.detail)] : null]]));
}
