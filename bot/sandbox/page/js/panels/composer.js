/**
 * Where a person writes: messages, and slash commands with completion of the commands the app knows.
 */

import { notify } from "../dialogs.js";
import { fill, freshId, h } from "../dom.js";

/** Words that can stand at the start of a usage hint: `status | invite @person` gives status and invite. */
function hintedWords(hint) {
  const choices = (hint ?? "").split("|").map((part) => part.replace(/[[\]()]/g, "").trim().split(/\s+/)[0]);
  return choices.length > 1 ? choices.filter((word) => /^[a-z][\w-]*$/i.test(word)) : [];
}

/** What can complete the text before the caret: `{label, detail, text, from}` each. */
export function completions(before, commands, people) {
  const slash = before.match(/^\/(\S*)$/);
  if (slash) {
    return commands
      .filter((one) => one.command.startsWith(before))
      .map((one) => ({ label: `${one.command} ${one.usage_hint ?? ""}`.trim(), detail: one.description ?? "", text: `${one.command} `, from: 0 }));
  }
  const first = before.match(/^(\/\S+)\s+(\S*)$/);
  const known = first && commands.find((one) => one.command === first[1]);
  if (known && !first[2].startsWith("@")) {
    return hintedWords(known.usage_hint)
      .filter((word) => word.startsWith(first[2]) && word !== first[2])
      .map((word) => ({ label: word, detail: `${known.command} ${word}`, text: `${word} `, from: before.length - first[2].length }));
  }
  const at = before.match(/(?:^|\s)@([\w.-]*)$/);
  if (!at) return [];
  const typed = at[1].toLowerCase();
  return people
    .filter((person) => person.name.toLowerCase().includes(typed))
    .slice(0, 8)
    .map((person) => ({ label: `@${person.name}`, detail: person.role, text: `@${person.name} `, from: before.length - at[1].length - 1 }));
}

/** One composer: under a conversation, or under a thread. */
export class Composer {
  /**
   * @param {{label: string, threadTs?: () => string|null, page: object}} options `page` gives `seat`, `channel`,
   *   `commands`, `directory`
   */
  constructor({ label, page, threadTs = () => null }) {
    Object.assign(this, { page, threadTs });
    this.drafts = new Map();
    this.place = null;
    this.offered = [];
    this.at = 0;
    const listId = freshId("completions");
    this.list = h("ul", { class: "completions", id: listId, role: "listbox", "aria-label": "Completions", hidden: true });
    this.field = h("textarea", {
      rows: 1,
      "aria-label": label,
      placeholder: label,
      role: "combobox",
      "aria-expanded": "false",
      "aria-controls": listId,
      "aria-autocomplete": "list",
      oninput: () => this.#changed(),
      onkeydown: (event) => this.#key(event),
      onblur: () => setTimeout(() => this.#offer([]), 150),
    });
    this.sendButton = h("button", { class: "button primary send", type: "submit", "aria-label": "Send" }, "Send");
    this.element = h(
      "form",
      {
        class: "composer",
        onsubmit: (event) => {
          event.preventDefault();
          this.#send();
        },
      },
      this.list,
      h("div", { class: "composer-frame" }, this.field, this.sendButton),
    );
  }

  /** Another conversation or thread: its draft is shown, this one's is kept. */
  moveTo(place, label) {
    if (this.place !== place) {
      // What was typed before the first conversation was there belongs to it.
      const typed = this.place ? "" : this.field.value;
      if (this.place) this.drafts.set(this.place, this.field.value);
      this.place = place;
      this.field.value = this.drafts.get(place) ?? typed;
      this.#offer([]);
      this.#grow();
    }
    this.field.placeholder = label;
    this.field.setAttribute("aria-label", label);
  }

  #changed() {
    this.#grow();
    const before = this.field.value.slice(0, this.field.selectionStart);
    this.#offer(completions(before, this.threadTs() ? [] : this.page.commands, this.page.directory.people()));
  }

  #grow() {
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(this.field.scrollHeight, 200)}px`;
  }

  #offer(offered) {
    this.offered = offered;
    this.at = 0;
    this.list.hidden = offered.length === 0;
    this.field.setAttribute("aria-expanded", String(offered.length > 0));
    fill(
      this.list,
      offered.map((one, index) =>
        h(
          "li",
          { role: "option", id: `${this.list.id}-${index}`, onpointerdown: (event) => event.preventDefault(), onclick: () => this.#take(one) },
          h("strong", {}, one.label),
          h("span", {}, one.detail),
        ),
      ),
    );
    this.#mark();
  }

  #mark() {
    [...this.list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === this.at)));
    const current = this.list.children[this.at];
    if (current) this.field.setAttribute("aria-activedescendant", current.id);
    else this.field.removeAttribute("aria-activedescendant");
    current?.scrollIntoView({ block: "nearest" });
  }

  #take(one) {
    const caret = this.field.selectionStart;
    this.field.setRangeText(one.text, one.from, caret, "end");
    this.field.focus();
    this.#changed();
  }

  #key(event) {
    if (event.isComposing) return;
    const open = this.offered.length > 0;
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      this.at = (this.at + (event.key === "ArrowDown" ? 1 : -1) + this.offered.length) % this.offered.length;
      this.#mark();
    } else if (open && event.key === "Escape") {
      event.preventDefault();
      this.#offer([]);
    } else if (open && (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && this.#completes()))) {
      event.preventDefault();
      this.#take(this.offered[this.at]);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#send();
    }
  }

  /** Enter completes while a name is being typed; a command that stands there whole is sent. */
  #completes() {
    const before = this.field.value.slice(0, this.field.selectionStart);
    return !/\s$/.test(before) && this.offered[this.at].text.trim() !== before;
  }

  async #send() {
    const text = this.field.value.trim();
    if (!text || !this.page.channel || this.element.getAttribute("aria-busy") === "true") return;
    const { seat, channel } = this.page;
    const { place } = this;
    const command = text.match(/^(\/\w[\w-]*)(?:\s+([\s\S]*))?$/);
    this.#offer([]);
    this.element.setAttribute("aria-busy", "true");
    try {
      if (command) {
        // In a thread the workspace refuses every command, known or not.
        const known = this.threadTs() || this.page.commands.some((one) => one.command === command[1]);
        if (!known) throw new Error(`${command[1]} is not a command that the app knows.`);
        await seat.command(channel, command[1], command[2] ?? "", this.threadTs());
      } else {
        await seat.say(channel, text, this.threadTs());
      }
      this.drafts.delete(place);
      if (this.place === place && this.field.value.trim() === text) this.field.value = "";
      this.#grow();
    } catch (error) {
      notify(error.message);
    } finally {
      this.element.removeAttribute("aria-busy");
    }
  }
}
