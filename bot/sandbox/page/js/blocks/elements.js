/**
 * Block Kit's interactive elements: buttons, menus, choices and inputs.
 *
 * A *surface* is where they stand (a message, a modal, the Home tab). It answers
 *   directory             names of people and channels
 *   stateOf(block, element)                         what is chosen now
 *   changed(block, element, state, {finished})      a person typed (`finished` false) or chose
 *   act(block, element, state)                      a press; resolves when the app has acknowledged
 */

import { confirmed } from "../dialogs.js";
import { h } from "../dom.js";
import { withEmoji } from "./emoji.js";
import { breaks, textObject } from "./mrkdwn.js";
import { keyOf, mayBeTyped, refusedNumber, stateWith, valueIn } from "./states.js";

const plain = (object) => withEmoji(object?.text ?? "");

/** A control that shows it is waiting and takes no second press while `work` runs. */
async function whileBusy(control, work) {
  if (control.getAttribute("aria-busy") === "true") return;
  control.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    control.removeAttribute("aria-busy");
  }
}

function button(element, block, surface) {
  const press = async () => {
    if (control.getAttribute("aria-busy") === "true") return;
    if (!(await confirmed(element.confirm, surface.directory))) return;
    if (/^https?:\/\//i.test(element.url ?? "")) window.open(element.url, "_blank", "noopener");
    await whileBusy(control, () => surface.act(block, element));
  };
  const control = h(
    "button",
    {
      type: "button",
      class: `button ${element.style ?? ""}`,
      "aria-label": element.accessibility_label,
      dataset: { key: keyOf(block, element) },
      onclick: press,
    },
    plain(element.text),
  );
  return control;
}

/** A three-dot menu. Its list is a popover, so it also stands above a modal. */
function overflow(element, block, surface) {
  const choose = async (option) => {
    menu.hidePopover();
    control.focus();
    if (!(await confirmed(element.confirm, surface.directory))) return;
    if (/^https?:\/\//i.test(option.url ?? "")) window.open(option.url, "_blank", "noopener");
    await whileBusy(control, () => surface.act(block, element, stateWith(element, option)));
  };
  const items = element.options.map((option) =>
    h("button", { type: "button", role: "menuitem", onclick: () => choose(option) }, plain(option.text)),
  );
  const menu = h("div", { class: "menu", role: "menu", popover: "auto", onkeydown: (event) => step(event, items) }, items);
  const control = h(
    "button",
    {
      type: "button",
      class: "icon-button overflow",
      "aria-label": element.accessibility_label ?? "More actions",
      "aria-haspopup": "menu",
      dataset: { key: keyOf(block, element) },
      onclick: () => openMenu(control, menu, items[0]),
    },
    "⋯",
  );
  return h("span", { class: "overflow-frame" }, control, menu);
}

/** Opens a popover menu under (or above) its button, inside the window. */
function openMenu(control, menu, first) {
  menu.showPopover();
  const anchor = control.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = anchor.bottom + 4 + height <= window.innerHeight;
  menu.style.left = `${Math.max(8, Math.min(anchor.left, window.innerWidth - width - 8))}px`;
  menu.style.top = `${Math.max(8, below ? anchor.bottom + 4 : anchor.top - height - 4)}px`;
  first?.focus();
}

/** Arrow keys inside a menu. */
function step(event, items) {
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  items[(to + items.length) % items.length].focus();
}

/** What a select can be set to: groups of `{value, label, chosen: what goes into the state}`. */
function choices(element, directory) {
  const byOption = (options) => options.map((option) => ({ value: option.value, label: plain(option.text), chosen: option }));
  const byId = (items) => items.map(({ id, name }) => ({ value: id, label: name, chosen: id }));
  if (/users_select/.test(element.type)) return [{ label: null, items: byId(directory.people()) }];
  if (/channels_select|conversations_select/.test(element.type)) return [{ label: null, items: byId(directory.channels()) }];
  if (element.option_groups) return element.option_groups.map((group) => ({ label: plain(group.label), items: byOption(group.options) }));
  return [{ label: null, items: byOption(element.options ?? []) }];
}

const idOf = (chosen) => (typeof chosen === "string" ? chosen : (chosen?.value ?? ""));

/** A menu with one choice. The browser's own select: keyboards, phones and screen readers know it. */
function select(element, block, surface, field) {
  const groups = choices(element, surface.directory);
  const all = groups.flatMap((group) => group.items);
  let current = idOf(valueIn(element, surface.stateOf(block, element)));
  if (!all.some((item) => item.value === current)) current = "";
  const options = (items) => items.map((item) => h("option", { value: item.value, selected: item.value === current }, item.label));
  const placeholder = plain(element.placeholder) || "Select an option";
  const control = h(
    "select",
    {
      ...field.attributes,
      "aria-label": field.attributes.id ? undefined : placeholder,
      dataset: { key: keyOf(block, element) },
      onchange: async () => {
        if (!(await confirmed(element.confirm, surface.directory))) {
          control.value = current;
          return;
        }
        current = control.value;
        const chosen = all.find((item) => item.value === current)?.chosen ?? null;
        await whileBusy(control, () => surface.changed(block, element, stateWith(element, chosen), { finished: true }));
      },
    },
    h("option", { value: "", selected: current === "", hidden: !field.optional, disabled: !field.optional }, placeholder),
    groups.map((group) => (group.label === null ? options(group.items) : h("optgroup", { label: group.label }, options(group.items)))),
  );
  return h("span", { class: "select-frame" }, control);
}

/** Radio buttons (`several` false) or check boxes, also for menus with many choices. */
function choiceList(element, block, surface, field, several) {
  const name = `${field.attributes.id ?? "choice"}-${keyOf(block, element)}`;
  const all = choices(element, surface.directory).flatMap((group) => group.items);
  const value = valueIn(element, surface.stateOf(block, element));
  const on = new Set((several ? value : [value]).filter(Boolean).map(idOf));
  const report = (event) => {
    if (event.target.checked) on.add(event.target.value);
    else on.delete(event.target.value);
    const chosen = all.filter((item) => (several ? on.has(item.value) : item.value === event.target.value)).map((item) => item.chosen);
    return surface.changed(block, element, stateWith(element, several ? chosen : chosen[0]), { finished: true });
  };
  const rows = all.map((item, index) =>
    h(
      "label",
      { class: "choice" },
      h("input", {
        type: several ? "checkbox" : "radio",
        name,
        value: item.value,
        checked: on.has(item.value),
        dataset: { key: `${keyOf(block, element)}/${index}` },
        onchange: report,
      }),
      h(
        "span",
        {},
        typeof item.chosen === "string" ? item.label : textObject(item.chosen.text, surface.directory),
        item.chosen.description && h("small", {}, textObject(item.chosen.description, surface.directory)),
      ),
    ),
  );
  const { id, required, ...rest } = field.attributes;
  return h("div", { class: "choices", role: several ? "group" : "radiogroup", id, ...rest }, rows);
}

/** Inputs into which a person types. Enter and leaving the field finish what is typed. */
function typed(element, block, surface, field) {
  const number = element.type === "number_input";
  const report = (finished, entered = false) =>
    surface.changed(block, element, stateWith(element, control.value), { finished, entered });
  const enter = (event) => {
    const send = event.key === "Enter" && !event.isComposing && (!element.multiline || event.metaKey || event.ctrlKey);
    // With dispatch_action Enter belongs to the field; without, it submits the form, as in Slack.
    if (!send || (!block.dispatch_action && !element.multiline)) return;
    event.preventDefault();
    if (block.dispatch_action) report(true, true);
    else control.form?.requestSubmit();
  };
  const refuse = (event) => {
    if (!number || event.data === null || event.data === undefined) return;
    const { selectionStart: start, selectionEnd: end, value } = control;
    if (mayBeTyped(element, value.slice(0, start) + event.data + value.slice(end))) return;
    event.preventDefault();
    surface.explain?.(block.block_id, refusedNumber(element));
  };
  const control = h(element.multiline ? "textarea" : "input", {
    ...field.attributes,
    type: element.multiline ? undefined : { email_text_input: "email", url_text_input: "url" }[element.type] ?? "text",
    inputmode: number ? (element.is_decimal_allowed ? "decimal" : "numeric") : undefined,
    rows: element.multiline ? 4 : undefined,
    maxlength: element.max_length,
    placeholder: plain(element.placeholder) || undefined,
    autocomplete: "off",
    "aria-label": field.attributes.id ? undefined : plain(element.placeholder) || "Text",
    autofocus: element.focus_on_load,
    value: valueIn(element, surface.stateOf(block, element)) ?? "",
    dataset: { key: keyOf(block, element) },
    oninput: () => report(false),
    onchange: () => report(true),
    onkeydown: enter,
    onbeforeinput: refuse,
  });
  return control;
}

/** Date and time pickers: the browser's own. */
function picker(element, block, surface, field) {
  const control = h("input", {
    ...field.attributes,
    type: element.type === "timepicker" ? "time" : "date",
    "aria-label": field.attributes.id ? undefined : plain(element.placeholder) || "Date",
    value: valueIn(element, surface.stateOf(block, element)) ?? "",
    dataset: { key: keyOf(block, element) },
    onchange: () => surface.changed(block, element, stateWith(element, control.value || null), { finished: true }),
  });
  return control;
}

/** What an element has around it when it stands alone, without a label. */
const ALONE = { attributes: {}, optional: false };

/**
 * The control for one interactive element.
 *
 * @param {object} element Block Kit's element
 * @param {object} block the block it stands in, for its `block_id`
 * @param {object} surface see the top of this file
 * @param {{attributes: object, optional: boolean}} [field] what the input block around it adds: id, descriptions
 */
export function interactive(element, block, surface, field = ALONE) {
  switch (element.type) {
    case "button":
      return button(element, block, surface);
    case "overflow":
      return overflow(element, block, surface);
    case "static_select":
    case "external_select":
    case "users_select":
    case "channels_select":
    case "conversations_select":
      return select(element, block, surface, field);
    case "radio_buttons":
      return choiceList(element, block, surface, field, false);
    case "checkboxes":
    case "multi_static_select":
    case "multi_users_select":
      return choiceList(element, block, surface, field, true);
    case "plain_text_input":
    case "number_input":
    case "email_text_input":
    case "url_text_input":
      return typed(element, block, surface, field);
    case "datepicker":
    case "timepicker":
      return picker(element, block, surface, field);
    default:
      return h("span", { class: "unknown" }, breaks(`This page does not show elements of type “${element.type}”.`));
  }
}

/** True when the element draws several controls, so that its label must be a legend. */
export const isGroup = (element) => ["radio_buttons", "checkboxes", "multi_static_select", "multi_users_select"].includes(element.type);
