/**
 * The page's side of the local workspace's HTTP interface: one method per request, errors as sentences, and the
 * long poll that tells what has changed.
 */

/** The workspace refused, or could not be reached. `fields` holds errors by block when a form was refused. */
export class ServerError extends Error {
  constructor(message, { status = 0, fields = null } = {}) {
    super(message);
    this.status = status;
    this.fields = fields;
  }

  /** True when nobody answered at all. */
  get lost() {
    return this.status === 0;
  }
}

async function request(method, path, body, signal) {
  let response;
  try {
    response = await fetch(path, {
      method,
      signal,
      cache: "no-store",
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError("The local workspace does not answer. What you typed is kept; try again in a moment.");
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer && answer.ok !== false) return answer;
  const sentence = answer?.error ?? `The local workspace answered with HTTP ${response.status}.`;
  throw new ServerError(sentence, { status: response.status, fields: answer?.errors ?? null });
}

const quoted = encodeURIComponent;

/** Everybody in the workspace: `{id, name, role}[]`. */
export const people = async () => (await request("GET", "/ui/people")).people;

/** A new person joins; the answer is who it became. */
export async function join(name) {
  const answer = await request("POST", "/ui/people", { name });
  return answer.person ?? answer;
}

/** What the app and the workspace said to each other after entry `after`. */
export const traffic = (after, signal) => request("GET", `/ui/traffic?after=${after}`, undefined, signal);

/** When the page was loaded (Unix time): ephemeral messages from before are not in it. */
const OPENED = Date.now() / 1000;

/** The workspace as one person sees it. */
export class Seat {
  constructor(user) {
    this.user = user;
    this.base = `/ui/${quoted(user)}`;
  }

  conversations() {
    return request("GET", `${this.base}/conversations`);
  }

  async messages(channel) {
    return (await request("GET", `${this.base}/messages?channel=${quoted(channel)}&opened=${OPENED}`)).messages;
  }

  say(channel, text, threadTs = null) {
    return request("POST", `${this.base}/messages`, threadTs ? { channel, text, thread_ts: threadTs } : { channel, text });
  }

  edit(channel, ts, text) {
    return request("PATCH", `${this.base}/messages/${quoted(ts)}`, { channel, text });
  }

  remove(channel, ts) {
    return request("DELETE", `${this.base}/messages/${quoted(ts)}?channel=${quoted(channel)}`);
  }

  read(channel) {
    return request("POST", `${this.base}/read`, { channel });
  }

  command(channel, command, text, threadTs = null) {
    return request("POST", `${this.base}/command`, { channel, command, text, thread_ts: threadTs });
  }

  /** Presses a button or changes a select; `container` says where it stands. */
  act(container, blockId, actionId, element) {
    return request("POST", `${this.base}/act`, { container, block_id: blockId, action_id: actionId, element });
  }

  async home() {
    return (await request("GET", `${this.base}/home`)).view;
  }

  /** Tell the app that the person looks at its "home" tab or at its "messages". */
  appOpened(tab) {
    return request("POST", `${this.base}/home/opened`, { tab });
  }

  async views() {
    return (await request("GET", `${this.base}/views`)).views;
  }

  input(viewId, blockId, actionId, element) {
    return request("POST", `${this.base}/views/${quoted(viewId)}/input`, { block_id: blockId, action_id: actionId, element });
  }

  submit(viewId, values) {
    return request("POST", `${this.base}/views/${quoted(viewId)}/submit`, { values });
  }

  close(viewId) {
    return request("POST", `${this.base}/views/${quoted(viewId)}/close`, {});
  }

  /** What changed after `after`; the workspace holds the answer back for up to `wait` seconds until something does. */
  changes(after, wait, signal) {
    return request("GET", `${this.base}/changes?after=${after}&wait=${wait}`, undefined, signal);
  }
}

const WAIT_SECONDS = 25;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8000;
const HIDDEN_PAUSE_MS = 5000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A pause that ends early when the page comes into view. */
const pauseWhileHidden = (ms) =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", done);
      resolve();
    }
    document.addEventListener("visibilitychange", done);
  });

/**
 * Follows what changes for one person until `stop` is called.
 *
 * `onChanges` gets the list of changes; `onResume` is called at the start and whenever changes may have been missed,
 * so that everything is fetched anew; `onLost` and `onFound` say whether the workspace answers.
 */
export class ChangeFeed {
  constructor(seat, { onChanges, onResume, onLost, onFound }) {
    this.seat = seat;
    this.on = { onChanges, onResume, onLost, onFound };
    this.aborter = new AbortController();
  }

  stop() {
    this.aborter.abort();
  }

  async run() {
    const { signal } = this.aborter;
    let position = -1;
    let wait = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        // A browser opens six connections to one server. A hidden page must not hold one, or a seventh person's starves.
        const { hidden } = document;
        const answer = await this.seat.changes(position, hidden ? 0 : WAIT_SECONDS, signal);
        if (signal.aborted) return;
        this.on.onFound();
        wait = FIRST_PAUSE_MS;
        // A workspace that was started again counts from the beginning.
        if (position === -1 || answer.now < position) this.on.onResume();
        else if (answer.changes.length > 0) this.on.onChanges(answer.changes);
        position = answer.now;
        if (hidden) await pauseWhileHidden(HIDDEN_PAUSE_MS);
      } catch (error) {
        if (signal.aborted) return;
        this.on.onLost(error);
        position = -1;
        await pause(wait);
        wait = Math.min(wait * 2, LONGEST_PAUSE_MS);
      }
    }
  }
}
