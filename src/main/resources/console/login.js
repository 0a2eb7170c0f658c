
// Asks who it is. Part of the page itself: who is not known yet gets no other file.

const WORDS = {
  en: {
    login: 'Who are you?',
    token: 'Administration token',
    hint: 'callbridge.admin.token of the configuration; without one, from the address in the log of the first start',
    enter: 'Enter',
    oidc: 'Log in with your company account',
    wrong: 'Callbridge does not accept this. Check the token, or ask whoever runs Callbridge for the right to look.',
    away: 'Callbridge does not answer. Try again.',
  },
  ru: {
    login: 'Кто вы?',
    token: 'Токен администратора',
    hint: 'callbridge.admin.token из настроек; если он не задан — из адреса в журнале первого запуска',
    enter: 'Войти',
    oidc: 'Войти с учётной записью компании',
    wrong: 'Callbridge это не принимает. Проверьте токен или попросите доступ у того, кто обслуживает Callbridge.',
    away: 'Callbridge не отвечает. Попробуйте ещё раз.',
  },
};
const language = localStorage.getItem('callbridge-language') ?? (navigator.language.startsWith('ru') ? 'ru' : 'en');
const theme = localStorage.getItem('callbridge-theme') ?? 'auto';
const words = WORDS[language];
const main = document.querySelector('main');
const trouble = document.querySelector('.trouble');
const input = document.querySelector('input');
const company = document.querySelector('a');

/** The console is at the same address, for who may see it. */
async function enter(token) {
  let why = words.wrong;
  try {
    // With another keyboard layout it cannot even be asked with.
    if (/^[\x21-\x7e]+$/.test(token)
      && (await fetch('login', { method: 'POST', headers: { Authorization: `Bearer ${token}` }, cache: 'no-store' })).ok) {
      location.reload();
      return;
    }
  } catch {
    why = words.away;
  }
  main.hidden = false;
  trouble.textContent = why;
  trouble.hidden = false;
  input.focus();
}

function token() {
  const given = /^#token=(.+)$/.exec(location.hash);
  if (given) {
    // Neither in the history nor in what somebody copies.
    history.replaceState(null, '', location.pathname + location.search);
  }
  return given?.[1];
}

document.documentElement.lang = language;
if (theme !== 'auto') {
  document.documentElement.dataset.theme = theme;
}
document.querySelectorAll('[data-word]').forEach((each) => {
  each.textContent = words[each.dataset.word];
});
company.hidden = document.body.dataset.oidc !== 'true';
company.addEventListener('click', () => {
  company.href = `api/login/start?to=${encodeURIComponent(`/${location.hash}`)}`;
});
company.href = 'api/login/start?to=/';
document.querySelector('form').addEventListener('submit', (event) => {
  event.preventDefault();
  enter(input.value.trim());
});
function begin() {
  const given = token();
  if (given) {
    enter(given);
  } else {
    main.hidden = false;
    input.focus();
  }
}

// Where this page is open already, an address with a token loads nothing.
window.addEventListener('hashchange', begin);
begin();
