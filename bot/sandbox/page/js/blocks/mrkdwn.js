/**
 * Slack's mrkdwn as elements: marks, code, quotes, links, mentions, dates and emoji.
 *
 * Follows Slack's "Formatting text for app surfaces". `&`, `<` and `>` arrive escaped; a bare `<` that opens no token
 * is shown as typed. A *directory* answers `userName(id)` and `channelName(id)`.
 */

import { h } from "../dom.js";
import { emoji, withEmoji } from "./emoji.js";
import { fullTime, momentOf, slackDate } from "../times.js";

/** Undoes the three escapes of Slack's text. */
export const unescapeText = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

/** A link out of the page; an address that is not http(s) or mail stays text. */
export function link(address, label) {
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return label;
  return h("a", { href: address, target: "_blank", rel: "noreferrer noopener" }, label);
}

/** A person's or a channel's name inside text. */
export const mention = (text) => h("span", { class: "mention" }, text);

/** The element for one `<…>` token, or null when the text inside is not one. */
function token(inside, directory) {
  const [target, label] = split(inside, "|");
  if (/^@[UWB]\w+$/.test(target)) return mention(`@${directory.userName(target.slice(1)) ?? label ?? target.slice(1)}`);
  if (/^#C\w+$/.test(target)) return mention(`#${directory.channelName(target.slice(1)) ?? label ?? target.slice(1)}`);
  if (target.startsWith("!date^")) return date(target, label ?? "");
  if (/^!(here|channel|everyone)$/.test(target)) return mention(`@${target.slice(1)}`);
  if (target.startsWith("!subteam^")) return mention(label ?? "@group");
  if (/^(https?:\/\/|mailto:)/i.test(target)) {
    return link(unescapeText(target), unescapeText(label ?? target.replace(/^mailto:/i, "")));
  }
  return null;
}

function date(target, fallback) {
  const [, unix, template, address] = target.split("^");
  const text = slackDate(unix, template ?? "", unescapeText(fallback));
  const moment = momentOf(unix);
  if (Number.isNaN(moment.getTime())) return text;
  const time = h("time", { datetime: moment.toISOString(), title: fullTime(moment) }, text);
  return address ? link(unescapeText(address), time) : time;
}

function split(text, mark) {
  const at = text.indexOf(mark);
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}

const MARKS = { "*": "strong", _: "em", "~": "s" };
const INLINE =
  /`([^`\n]+)`|<([^<>\n]+)>|:([a-z0-9_+-]+):|(?<![\w*_~])([*_~])(?=[^\s])((?:(?!\4)[^\n])*?[^\s])\4(?![\w])|\bhttps?:\/\/[^\s<>|`]+[^\s<>|`.,;:!?)'"\]*_~]/g;

/** Inline mrkdwn as nodes. */
function inline(text, directory) {
  const nodes = [];
  let shown = 0;
  const plain = (until) => until > shown && nodes.push(unescapeText(text.slice(shown, until)));
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, inside, name, mark, marked] = match;
    let node;
    if (code !== undefined) node = h("code", {}, unescapeText(code));
    else if (inside !== undefined) node = token(inside, directory);
    else if (name !== undefined) node = emoji(name) ?? null;
    else if (mark !== undefined) node = h(MARKS[mark], {}, inline(marked, directory));
    else node = link(unescapeText(whole), unescapeText(whole));
    if (node === null) continue;
    plain(match.index);
    nodes.push(node);
    shown = match.index + whole.length;
  }
  plain(text.length);
  return nodes;
}

const QUOTE = /^(?:&gt;|>) ?/;

/** Lines as nodes: quotes gathered, the rest with line breaks between. */
function lines(text, directory) {
  const nodes = [];
  let quoted = null;
  let previous = null;
  for (const line of text.split("\n")) {
    if (QUOTE.test(line)) {
      if (!quoted) nodes.push((quoted = h("blockquote")));
      else quoted.append(h("br"));
      quoted.append(...inline(line.replace(QUOTE, ""), directory));
      previous = "quote";
      continue;
    }
    if (previous === "line") nodes.push(h("br"));
    nodes.push(...inline(line, directory));
    quoted = null;
    previous = "line";
  }
  return nodes;
}

/**
 * Mrkdwn as nodes to append.
 *
 * @param {string} text as Slack's API carries it
 * @param {{userName: Function, channelName: Function}} directory
 */
export function mrkdwn(text, directory) {
  const nodes = [];
  text.split(/```([\s\S]+?)```\n?/).forEach((part, index) => {
    if (index % 2) nodes.push(h("pre", {}, h("code", {}, codeText(part, directory))));
    else if (part) nodes.push(...lines(index && part.startsWith("\n") ? part.slice(1) : part, directory));
  });
  return nodes;
}

/** Code shows tokens as their labels, without marks. */
function codeText(text, directory) {
  const bare = text.replace(/^\n|\n$/g, "");
  return unescapeText(bare.replace(/<([^<>\n]+)>/g, (typed, inside) => token(inside, directory)?.textContent ?? typed));
}

/** One line of words without marks, for announcements and titles. */
export function plainLine(text, directory) {
  return h("span", {}, mrkdwn(text ?? "", directory)).textContent.replace(/\s+/g, " ").trim();
}

/** A text object of Block Kit (plain_text or mrkdwn) as nodes. */
export function textObject(object, directory) {
  if (!object) return [];
  if (typeof object === "string") return [withEmoji(object)];
  if (object.type === "mrkdwn") return mrkdwn(object.text ?? "", directory);
  return breaks(withEmoji(object.text ?? ""));
}

/** Plain text with its line breaks. */
export function breaks(text) {
  return text.split("\n").flatMap((line, index) => (index ? [h("br"), line] : [line]));
}
