/**
 * What a person has chosen or typed, in Slack's own form, and what is wrong with it.
 *
 * A state is what Slack carries in `view.state.values[block_id][action_id]`, for example
 * `{type: "plain_text_input", value: "0.01"}`. Element kinds and limits: Slack's Block Kit reference.
 */

const TEXT_INPUTS = new Set(["plain_text_input", "number_input", "email_text_input", "url_text_input"]);

/** Where each kind of element keeps its value: in the state, and in the element as an initial one. */
const PLACES = {
  plain_text_input: ["value", "initial_value"],
  number_input: ["value", "initial_value"],
  email_text_input: ["value", "initial_value"],
  url_text_input: ["value", "initial_value"],
  static_select: ["selected_option", "initial_option"],
  external_select: ["selected_option", "initial_option"],
  radio_buttons: ["selected_option", "initial_option"],
  overflow: ["selected_option", null],
  checkboxes: ["selected_options", "initial_options"],
  multi_static_select: ["selected_options", "initial_options"],
  users_select: ["selected_user", "initial_user"],
  multi_users_select: ["selected_users", "initial_users"],
  channels_select: ["selected_channel", "initial_channel"],
  conversations_select: ["selected_conversation", "initial_conversation"],
  datepicker: ["selected_date", "initial_date"],
  timepicker: ["selected_time", "initial_time"],
};

const SEVERAL = new Set(["checkboxes", "multi_static_select", "multi_users_select"]);

/** True for elements that hold a value; buttons do not. */
export const holdsValue = (element) => element.type in PLACES;

/** True for elements into which a person types. */
export const isTyped = (element) => TEXT_INPUTS.has(element.type);

/** The state in which `value` is chosen. */
export const stateWith = (element, value) => ({ type: element.type, [PLACES[element.type][0]]: value });

/** The value inside a state: a text, an option, an id, a list, or null. */
export function valueIn(element, state) {
  const value = state?.[PLACES[element.type][0]];
  return value ?? (SEVERAL.has(element.type) ? [] : null);
}

/** The state an element starts with. */
export function initialState(element) {
  const [, initial] = PLACES[element.type];
  return stateWith(element, (initial && element[initial]) ?? (SEVERAL.has(element.type) ? [] : null));
}

/** The state as it goes to the workspace: an empty text is null, as in Slack. */
export function tidy(element, state) {
  const value = valueIn(element, state);
  return isTyped(element) && value === "" ? stateWith(element, null) : state;
}

const REQUIRED = "Please complete this required field.";

/** What is wrong with an input block's state, as a sentence for the person, or null. */
export function problem(block, state) {
  const element = block.element;
  const value = valueIn(element, state);
  const empty = value === null || value === "" || (Array.isArray(value) && value.length === 0);
  if (empty) return block.optional ? null : REQUIRED;
  if (element.type === "number_input") return numberProblem(element, String(value));
  if (element.type === "plain_text_input") return lengthProblem(element, value);
  if (element.type === "email_text_input" && !/^\S+@\S+\.\S+$/.test(value)) return "Please enter an email address.";
  if (element.type === "url_text_input" && !/^https?:\/\/\S+$/.test(value)) return "Please enter a link that starts with http:// or https://.";
  return null;
}

/** Slack's number input takes digits, one point and a sign, and no scientific notation. */
export const NUMBER_SO_FAR = /^-?\d*\.?\d*$/;
const WHOLE_SO_FAR = /^-?\d*$/;

/** Whether `text` may stand in the number input while it is being typed. */
export const mayBeTyped = (element, text) =>
  (element.is_decimal_allowed ? NUMBER_SO_FAR : WHOLE_SO_FAR).test(text);

/** Why something was not taken that a person typed or pasted into a number input. */
export const refusedNumber = (element) =>
  element.is_decimal_allowed ? "Only digits, a point and a sign: write 0.0001, not 1e-4." : "Only digits: this is a whole number.";

function numberProblem(element, text) {
  const number = Number(text);
  if (text.trim() === "" || !mayBeTyped(element, text) || !Number.isFinite(number)) {
    return element.is_decimal_allowed ? "Please enter a number." : "Please enter a whole number.";
  }
  if (element.min_value !== undefined && number < Number(element.min_value)) return `Please enter ${element.min_value} or more.`;
  if (element.max_value !== undefined && number > Number(element.max_value)) return `Please enter ${element.max_value} or less.`;
  return null;
}

function lengthProblem(element, text) {
  if (element.min_length && text.length < element.min_length) return `Please enter at least ${element.min_length} characters.`;
  if (element.max_length && text.length > element.max_length) return `Please enter at most ${element.max_length} characters.`;
  return null;
}

/** A control's name on its surface. */
export const keyOf = (block, element) => `${block.block_id}/${element.action_id}`;

/** What is chosen, comparable: the same value gives the same text, whatever else an option carries. */
function signature(element, state) {
  const value = valueIn(element, state);
  const id = (chosen) => (chosen !== null && typeof chosen === "object" ? chosen.value : (chosen ?? ""));
  return JSON.stringify(Array.isArray(value) ? value.map(id).sort() : id(value));
}

/**
 * What has been chosen on one surface, by control. The person's newest word wins over what the workspace sends, until
 * the workspace has it; after that the workspace is right (another window may have changed it).
 */
export class States {
  #entries = new Map();

  /** When (`performance.now`) the workspace was asked for what it last sent; what was stored later is newer. */
  asOf = 0;

  /** What the control shows now: `known` is what the workspace last sent, or undefined. */
  get(block, element, known) {
    const key = keyOf(block, element);
    const entry = this.#entries.get(key);
    if (!entry) {
      const state = known ?? initialState(element);
      this.#entries.set(key, { state, unsent: false, settled: signature(element, state), settledAt: 0, version: 0 });
      return state;
    }
    if (known === undefined || entry.unsent || entry.settledAt > this.asOf) return entry.state;
    const sent = signature(element, known);
    if (sent !== entry.settled) Object.assign(entry, { state: known, settled: sent, version: entry.version + 1 });
    return entry.state;
  }

  /** Grows when the workspace, not the person, has changed the control, so that it must be drawn again. */
  version(block, element) {
    return this.#entries.get(keyOf(block, element))?.version ?? 0;
  }

  /** The person changed the control. */
  set(block, element, state) {
    this.get(block, element);
    Object.assign(this.#entries.get(keyOf(block, element)), { state, unsent: true });
  }

  /** The workspace has `state`, so from now on it may correct it. */
  settle(block, element, state) {
    const entry = this.#entries.get(keyOf(block, element));
    if (!entry || entry.state !== state) return;
    Object.assign(entry, { unsent: false, settled: signature(element, state), settledAt: performance.now() });
  }

  /** Whether the person changed the control and the workspace does not have it yet. */
  isUnsent(block, element) {
    return this.#entries.get(keyOf(block, element))?.unsent ?? false;
  }

  /** Forgets the controls that are gone: under a new `block_id` an input starts anew. */
  keepOnly(keys) {
    for (const key of this.#entries.keys()) if (!keys.has(key)) this.#entries.delete(key);
  }
}
