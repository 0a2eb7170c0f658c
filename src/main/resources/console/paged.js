import { button } from './dom.js';
import { t } from './words.js';

/**
 * A list that is read page by page: one request at a time, and what answers a question that was replaced is not shown.
 * @param read asks for the page behind a place (null: the first), and answers [its rows, the place behind it]
 * @param draw makes what is shown of all rows so far
 * @return begins with the first page
 */
export function paged(page, list, read, draw) {
  let asked = 0;
  return () => {
    const mine = ++asked;
    const rows = [];
    const more = async (after) => {
      const [found, next] = await read(after);
      if (mine !== asked || page.gone()) {
        return;
      }
      rows.push(...found);
      const again = button(t('more'), () => {
        again.disabled = true;
        more(next).catch(page.fail);
      }, 'quiet');
      list.replaceChildren(...[draw(rows), next ? again : null].flat().filter(Boolean));
    };
    return more(null);
  };
}
