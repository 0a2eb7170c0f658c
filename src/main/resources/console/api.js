// The administration API, beside this page, wherever a proxy has put the two. Who asks is in a cookie.

/** No page of another site can send it. */
const HEADERS = { 'Callbridge-Console': 'true' };
/** The state of things comes every three seconds: after this time without it the store is away, or the connection is a dead one. */
const SILENCE_MS = 10_000;
const AGAIN_MS = 2_000;

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** A query without what is empty. Blanks are %20: a plus sign is one. */
export function query(values) {
  const pairs = Object.entries(values).filter(([, value]) => value !== '' && value !== null && value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return pairs.length ? `?${pairs.join('&')}` : '';
}

/** The page of a call. Two PBXs may use equal ids. */
export const pageOf = ({ callId, pbx }) => `#/calls/${encodeURIComponent(callId)}${pbx ? `/${encodeURIComponent(pbx)}` : ''}`;

async function ask(method, path) {
  let answer;
  try {
    answer = await fetch(path, { method, headers: HEADERS, cache: 'no-store' });
  } catch {
    throw new Refused(0, '');
  }
  if (!answer.ok) {
    throw new Refused(answer.status, (await answer.text()).slice(0, 500));
  }
  return answer.headers.get('Content-Type')?.startsWith('application/json') ? answer.json() : null;
}

export const get = (path) => ask('GET', path);
export const post = (path) => ask('POST', path);
export const remove = (path) => ask('DELETE', path);

/**
 * Server-sent events by fetch, since an EventSource tells no status. Begins again by itself, until it is told to stop.
 * @param heard is called with the kind and the content of each event, and with (null, reason) when nothing is heard any more
 * @return stops it
 */
export function listen(path, heard) {
  let connection = null;
  let silence = null;
  let stopped = false;
  const connect = async () => {
    connection = new AbortController();
    const alive = () => {
      clearTimeout(silence);
      silence = setTimeout(() => connection.abort(), SILENCE_MS);
    };
    alive();
    const began = Date.now();
    let reason = new Refused(0, '');
    try {
      await read(await fetch(path, { headers: HEADERS, cache: 'no-store', signal: connection.signal }), (kind, content) => {
        alive();
        // What fails in there is a mistake of the page, and none of the connection.
        queueMicrotask(() => stopped || heard(kind, content));
      });
      if (Date.now() - began > SILENCE_MS) {
        // Callbridge ends it now and then, to ask again who is there.
        return 0;
      }
    } catch (failure) {
      reason = failure instanceof Refused ? failure : reason;
    }
    if (!stopped) {
      heard(null, reason);
    }
    return reason.status === 401 ? null : AGAIN_MS;
  };
  (async () => {
    while (!stopped) {
      const pause = await connect();
      if (pause === null) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  })();
  return () => {
    stopped = true;
    clearTimeout(silence);
    connection.abort();
  };
}

async function read(answer, heard) {
  if (!answer.ok) {
    throw new Refused(answer.status, await answer.text());
  }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    const events = (rest + value).split('\n\n');
    rest = events.pop();
    for (const event of events) {
      const kind = /^event: (.*)$/m.exec(event);
      const data = /^data: (.*)$/m.exec(event);
      if (kind && data) {
        heard(kind[1], JSON.parse(data[1]));
      }
    }
  }
}
