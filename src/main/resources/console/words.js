import en from './words-en.js';
import ru from './words-ru.js';

// Which language, and everything that depends on it.

const ALL = { en, ru };
const KEPT = 'callbridge-language';
const LOCALES = { en: 'en-GB', ru: 'ru-RU' };
let language = localStorage.getItem(KEPT) ?? (navigator.language.startsWith('ru') ? 'ru' : 'en');

export function currentLanguage() {
  return language;
}

export function speak(next) {
  language = next;
  localStorage.setItem(KEPT, next);
}

/** @param key a name with dots; {names} in the text are replaced. A name without a text is shown as it is. */
export function t(key, values = {}) {
  return (ALL[language][key] ?? key).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

export function has(key) {
  return key in ALL[language];
}

/** The text for one of the words that the API uses, such as outcome.answered; the word itself if it is new. */
export function word(group, name) {
  return has(`${group}.${name}`) ? t(`${group}.${name}`) : String(name);
}

/** What the rule of a decision says, in plain words; null if there are none. Of a card it may say something else. */
export function rule({ rule: name, topic }) {
  const key = [`rule.${name}.${topic}`, `rule.${name}`].find(has);
  return key ? t(key) : null;
}

export function time(instant) {
  return new Date(instant).toLocaleTimeString(LOCALES[language], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

export function moment(instant) {
  return new Date(instant).toLocaleString(LOCALES[language], { day: '2-digit', month: '2-digit', year: 'numeric', hour: '2-digit',
    minute: '2-digit', second: '2-digit' });
}

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const two = (number) => String(number).padStart(2, '0');
  const minutes = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return whole >= 3600 ? `${Math.floor(whole / 3600)}:${minutes}` : minutes;
}

/** How a PBX's clock differs from Callbridge's. */
export function clock(ahead) {
  return t(ahead < 0 ? 'clock.behind' : 'clock.ahead', { time: duration(Math.abs(ahead)) });
}

/** A clock that is off by more than events can be late. */
export function wrong(ahead) {
  return Math.abs(ahead) > 120;
}

/** How long ago, in one unit. */
export function ago(instant, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - new Date(instant)) / 1000));
  const [unit, size] = [['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]].find(([, each]) => seconds >= each) ?? ['second', 1];
  return new Intl.RelativeTimeFormat(language, { numeric: 'always' }).format(-Math.floor(seconds / size), unit);
}
