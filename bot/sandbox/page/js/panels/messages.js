/**
 * A list of messages, drawn and redrawn: a conversation in the middle of the page, or a thread beside it.
 */

import { drawBlocks, pictureButton, valueElements } from "../blocks/blocks.js";
import { agreed, askForText, followPicture, notify } from "../dialogs.js";
import { h, reconcile } from "../dom.js";
import { mrkdwn, plainLine, unescapeText } from "../blocks/mrkdwn.js";
import { keyOf, States } from "../blocks/states.js";
import { clockTime, dayName, fullTime, momentOf } from "../times.js";

const SAME_BREATH_SECONDS = 300;
const PICTURE_PATIENCE_MS = 600;
const NEAR_END_PX = 80;

/** The initials and the colour that stand for somebody. */
export function avatar(id, name, bot = false) {
  // Neighbouring ids get colours far apart: 137 is the golden angle.
  const hue = ([...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 3600, 7) * 137) % 360;
  const initials = name.split(/\s+/).map((word) => word[0] ?? "").slice(0, 2).join("").toUpperCase();
  return h("span", { class: `avatar ${bot ? "app" : ""}`, "aria-hidden": "true", style: { "--hue": hue } }, bot ? "✦" : initials);
}

/** True for what was said in a thread. */
export const isReply = (message) => Boolean(message.thread_ts) && message.thread_ts !== message.ts;

/** True for what shows in the conversation itself. */
export const inConversation = (message) => !isReply(message) || message.broadcast;

/** What a message's buttons and selects talk to. */
class MessageSurface {
  constructor(list, message) {
    Object.assign(this, { list, message, directory: list.directory });
    this.place = `${list.channel}/${message.ts}`;
  }

  get states() {
    return this.list.statesOf(this.message.ts);
  }

  stateOf(block, element) {
    return this.states.get(block, element, this.message.values?.[block.block_id]?.[element.action_id]);
  }

  /** What decides whether the message must be drawn again: not what the person chose in it. */
  get print() {
    const { values, ...drawn } = this.message;
    this.states.asOf = this.list.asOf;
    const versions = valueElements(this.message.blocks ?? []).map(({ block, element }) => {
      this.stateOf(block, element);
      return this.states.version(block, element);
    });
    return [drawn, versions];
  }

  async changed(block, element, state, { finished, entered = false }) {
    this.states.set(block, element, state);
    const tells = block.type !== "input" || (block.dispatch_action && (entered || !("value" in state)));
    if (finished && tells) await this.act(block, element, state);
  }

  async act(block, element, state) {
    const { channel, seat } = this.list;
    try {
      await seat.act({ type: "message", channel, ts: this.message.ts }, block.block_id, element.action_id, state);
      if (state) this.states.settle(block, element, state);
    } catch (error) {
      notify(error.message);
    }
  }
}

/** The children of `container` are one conversation's or one thread's messages. */
export class MessageList {
  /**
   * @param {Element} scroller scrolls; holds `container`
   * @param {Element} container
   * @param {{directory: object, openThread?: (ts: string) => void}} page
   */
  constructor(scroller, container, page) {
    Object.assign(this, { scroller, container, page, directory: page.directory });
    this.states = new Map();
    this.asOf = 0;
    this.atEnd = true;
    scroller.addEventListener("scroll", () => {
      this.atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END_PX;
      if (this.atEnd) this.page.onSeen?.();
    });
    // Pictures arrive later than their messages, and push the end down.
    // A drawer that opens below takes room from above it.
    const stay = new ResizeObserver(() => this.atEnd && this.toEnd());
    stay.observe(container);
    stay.observe(scroller);
  }

  /** Another conversation, or another person's eyes. */
  reset(seat, channel) {
    Object.assign(this, { seat, channel, atEnd: true });
    this.states.clear();
    this.container.replaceChildren();
  }

  statesOf(ts) {
    if (!this.states.has(ts)) this.states.set(ts, new States());
    return this.states.get(ts);
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /**
   * Draws `messages`, oldest first. `inThread` leaves out what belongs to a conversation only; `rootOf` finds what a
   * reply in the conversation answers.
   */
  show(messages, { inThread = false, currentThread = null, rootOf = () => null } = {}) {
    let previous = null;
    const items = [];
    for (const message of messages) {
      const moment = momentOf(message.ts);
      const day = dayName(moment);
      if (!inThread && day !== previous?.day) items.push(dayItem(day, message.ts));
      const compact = follows(previous, message, day) && (inThread || !isReply(message));
      const root = !inThread && isReply(message) ? rootOf(message) : null;
      const open = currentThread === message.ts;
      const surface = new MessageSurface(this, message);
      items.push({
        key: message.ts,
        print: JSON.stringify([surface.print, compact, open, inThread, root?.text]),
        message,
        draw: () => this.#draw(surface, { compact, open, inThread, root }),
      });
      previous = { ...message, day };
    }
    reconcile(this.container, items, (old, fresh, item) => this.#carry(old, fresh, item));
    if (this.atEnd) this.toEnd();
  }

  /** A redrawn message keeps its old picture until the new one is there, so that a live plot does not flicker. */
  #carry(old, fresh, { message }) {
    if (message.blocks) {
      const present = new Set(valueElements(message.blocks).map(({ block, element }) => keyOf(block, element)));
      this.statesOf(message.ts).keepOnly(present);
    }
    for (const frame of fresh.querySelectorAll(".picture-button[data-place]")) {
      const { place } = frame.dataset;
      const picture = frame.querySelector("img");
      const before = old.querySelector(`.picture-button[data-place="${CSS.escape(place)}"] img`);
      if (!picture || !before) continue;
      followPicture(place, picture.src, picture.alt);
      if (before.src === picture.src) {
        // The same picture is on the screen already; loading it again would flash.
        picture.replaceWith(before);
        continue;
      }
      keepUntilLoaded(before, picture);
    }
  }

  #draw(surface, { compact, open, inThread, root }) {
    const { message } = surface;
    if (message.deleted) {
      return h("article", { class: "message gone" }, h("p", {}, "This message was deleted."), this.#replies(message, open, inThread));
    }
    const moment = momentOf(message.ts);
    const time = h("time", { datetime: moment.toISOString(), title: fullTime(moment) }, clockTime(moment));
    const body = message.blocks?.length
      ? h("div", { class: "blocks" }, drawBlocks(message.blocks, surface).map((block) => h("div", { class: "block" }, block)))
      : h("div", { class: "rich" }, mrkdwn(message.text ?? "", this.directory));
    return h(
      "article",
      {
        class: `message ${compact ? "compact" : ""} ${message.ephemeral ? "ephemeral" : ""} ${open ? "open" : ""}`,
        "aria-label": `${message.name}, ${clockTime(moment)}`,
        dataset: { ts: message.ts },
      },
      h("div", { class: "gutter" }, compact ? time : avatar(message.user ?? message.name, message.name, message.bot)),
      h(
        "div",
        { class: "message-body" },
        message.ephemeral && h("p", { class: "only-you" }, h("span", { "aria-hidden": "true" }, "◐ "), "Only visible to you"),
        !compact && h("header", {}, h("strong", {}, message.name), message.bot && h("span", { class: "badge" }, "App"), time),
        this.#broadcast(message, root, inThread),
        body,
        message.files?.length > 0 && h("div", { class: "files" }, message.files.map((file, index) => attached(file, `${surface.place}/file-${index}`))),
        message.edited && h("span", { class: "edited" }, "(edited)"),
        this.#replies(message, open, inThread),
      ),
      !message.ephemeral && this.#tools(message, inThread),
    );
  }

  /** What tells a reply that is shown in two places from other messages. */
  #broadcast(message, root, inThread) {
    if (!message.broadcast) return null;
    if (inThread) return h("p", { class: "broadcast" }, "Also sent to the conversation");
    const words = root ? plainLine(root.text, this.directory) : "";
    return h(
      "p",
      { class: "broadcast" },
      "replied to a thread: ",
      h(
        "button",
        { type: "button", class: "to-thread", dataset: { key: `thread-of/${message.ts}` }, onclick: () => this.page.openThread(message.thread_ts) },
        words || "open it",
      ),
    );
  }

  #replies(message, open, inThread) {
    if (inThread || !message.reply_count) return null;
    const words = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
    return h(
      "button",
      { type: "button", class: "replies", "aria-expanded": String(open), dataset: { key: `replies/${message.ts}` }, onclick: () => this.page.openThread(message.ts) },
      `${words} ›`,
    );
  }

  #tools(message, inThread) {
    const own = message.user === this.seat.user;
    const tools = [
      !inThread && ["Reply in thread", "↳", () => this.page.openThread(isReply(message) ? message.thread_ts : message.ts)],
      own && ["Edit message", "✎", () => this.#edit(message)],
      own && ["Delete message", "✕", () => this.#remove(message)],
    ].filter(Boolean);
    if (!tools.length) return null;
    return h(
      "div",
      { class: "tools" },
      tools.map(([label, sign, use]) =>
        h("button", { type: "button", class: "icon-button", title: label, "aria-label": label, dataset: { key: `${label}/${message.ts}` }, onclick: use }, sign),
      ),
    );
  }

  async #edit(message) {
    const { seat, channel } = this;
    const text = await askForText({ title: "Edit message", label: "Message", yes: "Save", value: asWritten(message.text, this.directory), lines: 4 });
    if (text !== null) await seat.edit(channel, message.ts, text).catch((error) => notify(error.message));
  }

  async #remove(message) {
    const { seat, channel } = this;
    if (!(await agreed("Delete this message?", plainLine(message.text, this.directory).slice(0, 200), "Delete"))) return;
    await seat.remove(channel, message.ts).catch((error) => notify(error.message));
  }
}

/** A message's text as its writer typed it: names in place of ids, nothing escaped. */
const asWritten = (text, directory) =>
  unescapeText(text.replace(/<@(\w+)(?:\|[^>]*)?>/g, (token, id) => `@${directory.userName(id) ?? id}`));

/** A file that came with a message: a picture is shown, anything else can be fetched. */
function attached(file, place) {
  if (file.mimetype?.startsWith("image/")) return pictureButton(file.url, file.name, place);
  return h("a", { class: "file", href: file.url, download: file.name }, h("span", { "aria-hidden": "true" }, "⤓ "), file.name, h("small", {}, ` ${Math.ceil((file.size ?? 0) / 1024)} kB`));
}

const dayItem = (day, ts) => ({
  key: `day-${day}`,
  print: day,
  draw: () => h("div", { class: "day", role: "separator", "aria-label": day }, h("span", { title: fullTime(momentOf(ts)) }, day)),
});

/** True when a message goes on where the one above it stopped. */
function follows(previous, message, day) {
  return Boolean(
    previous &&
      !previous.deleted &&
      previous.day === day &&
      previous.user === message.user &&
      previous.name === message.name &&
      !previous.ephemeral &&
      !message.ephemeral &&
      !previous.reply_count &&
      Number(message.ts) - Number(previous.ts) < SAME_BREATH_SECONDS,
  );
}

/** Shows `before` in place of `picture` until that is loaded. When a newer one comes meanwhile, only the newest is shown. */
function keepUntilLoaded(before, picture) {
  const loading = new Image();
  before.successor = picture;
  before.alt = picture.alt;
  picture.replaceWith(before);
  const swap = () => {
    if (before.successor === picture) before.replaceWith(picture);
  };
  loading.onload = swap;
  loading.onerror = swap;
  setTimeout(swap, PICTURE_PATIENCE_MS);
  loading.src = picture.src;
}
