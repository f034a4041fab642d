/**
 * The standard Markdown of Slack's `markdown` block as elements: headings, lists, quotes, code, tables, rules and
 * the usual inline marks. HTML inside Markdown is shown as text.
 */

import { h } from "../dom.js";
import { withEmoji } from "./emoji.js";
import { link } from "./mrkdwn.js";

const INLINE =
  /`([^`]+)`|\[([^\]]+)\]\(([^)\s]+)\)|(\*\*\*|\*\*|__|~~|\*|_)(?=\S)([\s\S]*?\S)\4(?!\w)|\\([\\`*_{}[\]()#+.!~>-])/g;
const MARKS = { "**": "strong", __: "strong", "~~": "s", "*": "em", _: "em" };

function inline(text) {
  const nodes = [];
  let shown = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, label, address, mark, marked, escaped] = match;
    // `snake_case_names` are words, not emphasis.
    if (mark?.startsWith("_") && /\w/.test(text[match.index - 1] ?? "")) continue;
    nodes.push(withEmoji(text.slice(shown, match.index)));
    if (code !== undefined) nodes.push(h("code", {}, code));
    else if (label !== undefined) nodes.push(link(address, h("span", {}, inline(label))));
    else if (mark === "***") nodes.push(h("strong", {}, h("em", {}, inline(marked))));
    else if (mark !== undefined) nodes.push(h(MARKS[mark], {}, inline(marked)));
    else nodes.push(escaped);
    shown = match.index + whole.length;
  }
  nodes.push(withEmoji(text.slice(shown)));
  return nodes;
}

const ITEM = /^(\s*)(?:[-*+]|(\d+)[.)])\s+(.*)$/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const TABLE_RULE = /^\s*\|?(?:\s*:?-+:?\s*\|)+\s*:?-*:?\s*$/;

const cells = (row) => row.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());

function table(rows) {
  const [head, , ...body] = rows;
  const row = (text, tag) => h("tr", {}, cells(text).map((cell) => h(tag, {}, inline(cell))));
  return h("div", { class: "table-frame", tabindex: 0 }, h("table", {}, h("thead", {}, row(head, "th")), h("tbody", {}, body.map((text) => row(text, "td")))));
}

function list(items) {
  const ordered = items[0][2] !== undefined;
  return h(
    ordered ? "ol" : "ul",
    ordered ? { start: items[0][2] } : {},
    items.map(([, indent, , text]) => h("li", { style: { marginLeft: `${Math.floor(indent.length / 2)}em` } }, inline(text))),
  );
}

/** Takes lines from the front of `rest` while `accept` says so. */
function take(rest, accept) {
  const taken = [];
  while (rest.length && accept(rest[0])) taken.push(rest.shift());
  return taken;
}

/** Markdown as an array of block elements. */
export function markdown(source) {
  const rest = source.replace(/\r/g, "").split("\n");
  const blocks = [];
  while (rest.length) {
    const line = rest[0];
    const heading = line.match(HEADING);
    if (!line.trim()) rest.shift();
    else if (/^\s*```/.test(line)) {
      rest.shift();
      blocks.push(h("pre", {}, h("code", {}, take(rest, (next) => !/^\s*```/.test(next)).join("\n"))));
      rest.shift();
    } else if (heading) {
      rest.shift();
      blocks.push(h("p", { class: "heading", role: "heading", "aria-level": heading[1].length + 2 }, inline(heading[2])));
    } else if (RULE.test(line)) {
      rest.shift();
      blocks.push(h("hr"));
    } else if (/^\s*>/.test(line)) {
      const quoted = take(rest, (next) => /^\s*>/.test(next)).map((next) => next.replace(/^\s*> ?/, ""));
      blocks.push(h("blockquote", {}, markdown(quoted.join("\n"))));
    } else if (line.includes("|") && TABLE_RULE.test(rest[1] ?? "")) {
      blocks.push(table(take(rest, (next) => next.includes("|"))));
    } else if (ITEM.test(line)) {
      blocks.push(list(take(rest, (next) => ITEM.test(next)).map((next) => next.match(ITEM))));
    } else {
      const starts = (next) => !next.trim() || HEADING.test(next) || ITEM.test(next) || /^\s*(>|```)/.test(next);
      const paragraph = [rest.shift(), ...take(rest, (next) => !starts(next))];
      blocks.push(h("p", {}, inline(paragraph.join("\n"))));
    }
  }
  return blocks;
}
