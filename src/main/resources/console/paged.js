import { refused } from './actions.js';
import { button } from './dom.js';
import { t } from './words.js';

/**
 * A list that is read page by page: one request at a time, and what answers a question that was replaced is not shown.
 * @param read asks for the page behind a place (null: the first), and answers [its rows, the place behind it]
 * @param draw makes what is shown of all rows so far, one tr for each
 * @return begins with the first page
 */
export function paged(page, list, read, draw) {
  let asked = 0;
  return () => {
    const mine = ++asked;
    const rows = [];
    const more = async (after) => {
      const [found, next] = await read(after).catch((reason) => {
        if (mine !== asked || page.gone()) {
          return [[], null];
        }
        throw reason;
      });
      if (mine !== asked || page.gone()) {
        return;
      }
      const before = rows.length;
      rows.push(...found);
      const onward = button(t('more'), () => {
        onward.disabled = true;
        more(next).catch((reason) => {
          onward.disabled = false;
          refused(page, reason);
        });
      }, 'quiet');
      list.replaceChildren(...[draw(rows), next ? onward : null].flat().filter(Boolean));
      if (before) {
        // Whoever pressed the button goes on where the new ones begin.
        const lines = [...list.querySelectorAll('tbody tr')];
        (lines[before] ?? lines.at(-1))?.querySelector('a, input')?.focus();
      }
    };
    return more(null);
  };
}
