/**
 * Block Kit's `rich_text` and `table` blocks as elements.
 */

import { h } from "../dom.js";
import { emoji } from "./emoji.js";
import { breaks, link, mention } from "./mrkdwn.js";
import { slackDate } from "../times.js";

const STYLES = { bold: "strong", italic: "em", strike: "s", code: "code" };

function styled(nodes, style = {}) {
  return Object.entries(STYLES).reduce((inner, [name, tag]) => (style[name] ? [h(tag, {}, inner)] : inner), nodes);
}

function inlineElement(element, directory) {
  switch (element.type) {
    case "text":
      return breaks(element.text);
    case "link":
      return [link(element.url, element.text ?? element.url)];
    case "emoji":
      return [emoji(element.name) ?? `:${element.name}:`];
    case "user":
      return [mention(`@${directory.userName(element.user_id) ?? element.user_id}`)];
    case "channel":
      return [mention(`#${directory.channelName(element.channel_id) ?? element.channel_id}`)];
    case "broadcast":
      return [mention(`@${element.range}`)];
    case "usergroup":
      return [mention(`@${element.usergroup_id}`)];
    case "date":
      return [slackDate(element.timestamp, element.format, element.fallback ?? "")];
    case "color":
      return [h("code", {}, element.value)];
    default:
      return [element.text ?? ""];
  }
}

const inlineElements = (elements, directory) =>
  elements.flatMap((element) => styled(inlineElement(element, directory), element.style));

function part(element, directory) {
  switch (element.type) {
    case "rich_text_list": {
      const items = element.elements.map((item) => h("li", {}, inlineElements(item.elements, directory)));
      const indent = { marginLeft: `${(element.indent ?? 0) * 1.5}em` };
      return element.style === "ordered"
        ? h("ol", { start: (element.offset ?? 0) + 1, style: indent }, items)
        : h("ul", { style: indent }, items);
    }
    case "rich_text_quote":
      return h("blockquote", {}, inlineElements(element.elements, directory));
    case "rich_text_preformatted":
      return h("pre", {}, h("code", {}, element.elements.map((one) => one.text ?? one.url ?? "")));
    default:
      return h("div", {}, inlineElements(element.elements ?? [], directory));
  }
}

/** A `rich_text` block. */
export const richText = (block, directory) => h("div", { class: "rich" }, block.elements.map((element) => part(element, directory)));

function cellContent(cell, directory) {
  if (cell.type === "rich_text") return richText(cell, directory);
  return breaks(String(cell.text ?? cell.value ?? ""));
}

/** A `table` block: the first row is its head. It scrolls sideways in itself when it is wide. */
export function tableBlock(block, directory) {
  const settings = block.column_settings ?? [];
  const cell = (tag, content, column) => {
    const { align, is_wrapped: wrapped } = settings[column] ?? {};
    const number = content.type === "raw_number" ? "right" : undefined;
    const style = { textAlign: align ?? number ?? "", whiteSpace: wrapped ? "normal" : "" };
    return h(tag, { style, scope: tag === "th" ? "col" : undefined }, cellContent(content, directory));
  };
  const [head, ...body] = block.rows.map((row, index) =>
    h("tr", {}, row.map((content, column) => cell(index === 0 ? "th" : "td", content, column))),
  );
  return h("div", { class: "table-frame", tabindex: 0, role: "region", "aria-label": "Table" }, h("table", {}, h("thead", {}, head), h("tbody", {}, body)));
}
