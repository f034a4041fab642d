/**
 * Block Kit's blocks as elements. What people press and fill in is in `elements.js`, which also says what a surface is.
 */

import { dataVisualization } from "./chart.js";
import { enlarge } from "../dialogs.js";
import { freshId, h } from "../dom.js";
import { interactive, isGroup } from "./elements.js";
import { withEmoji } from "./emoji.js";
import { markdown } from "./markdown.js";
import { textObject } from "./mrkdwn.js";
import { richText, tableBlock } from "./rich_text.js";
import { holdsValue, keyOf } from "./states.js";

function section(block, surface) {
  const { accessory } = block;
  return h(
    "div",
    { class: `section ${accessory ? "with-accessory" : ""}` },
    h(
      "div",
      { class: "section-body" },
      block.text && h("div", { class: "rich" }, textObject(block.text, surface.directory)),
      block.fields && h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "rich" }, textObject(field, surface.directory)))),
    ),
    accessory && h("div", { class: "accessory" }, accessory.type === "image" ? small(accessory) : interactive(accessory, block, surface)),
  );
}

/** What stands in place of a picture that its reader cannot see. */
const brokenPicture = (alt) =>
  h("span", { class: "broken-picture" }, h("span", { class: "broken-sign", role: "img", "aria-label": "Broken image" }, "⊘ Broken image"), h("span", {}, alt));

const small = (image) =>
  image.broken
    ? brokenPicture(image.alt_text ?? "")
    : h("img", { class: "small-picture", src: image.image_url, alt: image.alt_text ?? "", referrerpolicy: "no-referrer" });

function context(block, surface) {
  return h(
    "div",
    { class: "context" },
    block.elements.map((element) => (element.type === "image" ? small(element) : h("span", { class: "rich" }, textObject(element, surface.directory)))),
  );
}

/** A picture at its size limit; pressing it shows it as large as the window allows. `place` names where it stands. */
export function pictureButton(address, alt, place) {
  const picture = h("img", { src: address, alt, referrerpolicy: "no-referrer" });
  const button = h(
    "button",
    { type: "button", class: "picture-button", title: "Enlarge", dataset: { key: `picture/${place}`, place }, onclick: () => enlarge(place, address, alt) },
    picture,
  );
  picture.addEventListener("error", () => button.replaceWith(brokenPicture(alt)), { once: true });
  return button;
}

function image(block, surface, index) {
  return h(
    "figure",
    { class: "picture" },
    block.title && h("figcaption", {}, textObject(block.title, surface.directory)),
    block.broken ? brokenPicture(block.alt_text ?? "") : pictureButton(block.image_url, block.alt_text ?? "", `${surface.place}/${index}`),
  );
}

/** An input block: label, control, hint and error, tied together for screen readers. */
function input(block, surface) {
  const { element } = block;
  const id = freshId("input");
  const error = surface.errorOf?.(block.block_id);
  const described = [block.hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const group = isGroup(element);
  const attributes = {
    id,
    "aria-describedby": described || undefined,
    "aria-invalid": error ? "true" : undefined,
    "aria-required": !block.optional ? "true" : undefined,
    "aria-labelledby": group ? `${id}-label` : undefined,
  };
  return h(
    "div",
    { class: `field ${error ? "wrong" : ""}`, dataset: { block: block.block_id } },
    h(
      group ? "div" : "label",
      { class: "field-label", id: `${id}-label`, for: group ? undefined : id },
      textObject(block.label, surface.directory),
      block.optional && h("span", { class: "optional" }, " (optional)"),
    ),
    interactive(element, block, surface, { attributes, optional: Boolean(block.optional) }),
    error && h("p", { class: "field-error", id: `${id}-error` }, error),
    block.hint && h("p", { class: "hint", id: `${id}-hint` }, textObject(block.hint, surface.directory)),
  );
}

function container(block, surface, index) {
  const title = [
    h("strong", {}, block.rich_text_title ? richText(block.rich_text_title, surface.directory) : textObject(block.title, surface.directory)),
    block.subtitle && h("small", {}, textObject(block.subtitle, surface.directory)),
  ];
  const children = block.child_blocks.map((child, number) => drawBlock(child, surface, `${index}.${number}`));
  if (!block.is_collapsible) return h("section", { class: "container" }, h("header", {}, title), children);
  return h("details", { class: "container", open: !block.default_collapsed }, h("summary", {}, title), children);
}

/** One block as an element. `index` tells pictures apart. */
export function drawBlock(block, surface, index) {
  switch (block.type) {
    case "section":
      return section(block, surface);
    case "header":
      return h("p", { class: "heading", role: "heading", "aria-level": 3 }, withEmoji(block.text.text));
    case "divider":
      return h("hr");
    case "context":
      return context(block, surface);
    case "actions":
      return h("div", { class: "actions" }, block.elements.map((element) => interactive(element, block, surface)));
    case "image":
      return image(block, surface, index);
    case "input":
      return input(block, surface);
    case "rich_text":
      return richText(block, surface.directory);
    case "table":
      return tableBlock(block, surface.directory);
    case "data_visualization":
      return dataVisualization(block);
    case "markdown":
      return h("div", { class: "rich markdown" }, markdown(block.text));
    case "alert":
      return h("div", { class: `alert ${block.level ?? "default"} rich` }, textObject(block.text, surface.directory));
    case "container":
      return container(block, surface, index);
    default:
      return h("div", { class: "unknown" }, `This page does not show blocks of type “${block.type}”.`);
  }
}

/** All blocks of a message or view, as elements. */
export const drawBlocks = (blocks, surface) => blocks.map((block, index) => drawBlock(block, surface, index));

/** Every element with a value on a surface, with its block. */
export function valueElements(blocks) {
  return blocks.flatMap((block) => {
    const elements = [block.element, block.accessory, ...(block.type === "actions" ? block.elements : [])];
    return elements.filter((element) => element && holdsValue(element)).map((element) => ({ block, element, key: keyOf(block, element) }));
  });
}
