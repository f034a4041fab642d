/**
 * The left column: who is looking, the Home tab, and the person's conversations with their unread marks.
 */

import { join } from "../api.js";
import { askForText, notify } from "../dialogs.js";
import { fill, h } from "../dom.js";
import { avatar } from "./messages.js";
import { addressOf } from "../route.js";

const ROLES = [
  ["participant", "Participants"],
  ["researcher", "Researchers"],
  ["admin", "Admins"],
];
const FILTER_FROM = 10;

export class Sidebar {
  /** @param {{onJoined: (person: object) => void}} page */
  constructor(page) {
    this.page = page;
    this.who = document.getElementById("who");
    this.menu = document.getElementById("people");
    this.list = document.getElementById("conversations");
    this.filter = h("input", { type: "search", placeholder: "Find a person", "aria-label": "Find a person", oninput: () => this.#narrow() });
    this.groups = h("div", { class: "people-groups" });
    fill(
      this.menu,
      this.filter,
      this.groups,
      h("button", { type: "button", class: "button join", onclick: () => this.#join() }, "Join as a new person…"),
    );
  }

  /** Who can be chosen (those who can use the workspace), and who is looking. Each is a link, so that it opens in a tab of its own too. */
  showPeople(people, user) {
    const current = people.find((person) => person.id === user);
    fill(
      this.who,
      avatar(user, current?.name ?? "?"),
      h("span", { class: "who-name" }, h("strong", {}, current?.name ?? user), h("small", {}, current?.role ?? "")),
      h("span", { class: "chevron", "aria-hidden": "true" }, "⌄"),
    );
    this.who.setAttribute("aria-label", `Looking as ${current?.name ?? user}. Change person`);
    const present = people.filter((person) => person.present);
    this.filter.hidden = present.length < FILTER_FROM;
    fill(this.groups, ROLES.map(([role, title]) => this.#group(title, present.filter((person) => person.role === role), user)));
    this.#narrow();
  }

  #group(title, people, user) {
    if (!people.length) return null;
    const entry = (person) =>
      h(
        "li",
        {},
        h(
          "a",
          { href: addressOf({ user: person.id }), "aria-current": person.id === user ? "true" : undefined, onclick: () => this.menu.hidePopover() },
          avatar(person.id, person.name),
          person.name,
        ),
      );
    return h("section", {}, h("h3", {}, title), h("ul", {}, people.map(entry)));
  }

  #narrow() {
    const wanted = this.filter.value.toLowerCase();
    for (const item of this.groups.querySelectorAll("li")) item.hidden = !item.textContent.toLowerCase().includes(wanted);
  }

  async #join() {
    this.menu.hidePopover();
    const name = await askForText({ title: "Join the workspace", label: "Name of the new person", yes: "Join" });
    if (name === null) return;
    try {
      this.page.onJoined(await join(name));
    } catch (error) {
      notify(error.message);
    }
  }

  /** The Home tab and the conversations; `place` is the open one. */
  showConversations(user, conversations, app, place) {
    const entry = (id, sign, name, unread) =>
      h(
        "li",
        {},
        h(
          "a",
          { href: addressOf({ user, place: id }), class: unread ? "unread" : "", "aria-current": id === place ? "page" : undefined },
          h("span", { class: "sign", "aria-hidden": "true" }, sign),
          h("span", { class: "name" }, name),
          unread > 0 && h("span", { class: "count", "aria-label": `${unread} unread` }, unread),
        ),
      );
    const of = (kind, sign) => conversations.filter((one) => one.kind === kind).map((one) => entry(one.id, sign, one.name, one.id === place ? 0 : one.unread));
    const channels = of("channel", "#");
    const focused = this.list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    fill(
      this.list,
      h("h3", {}, app.name),
      h("ul", {}, app.home_tab && entry("home", "⌂", "Home", 0), of("dm", "✦")),
      channels.length > 0 && [h("h3", {}, "Channels"), h("ul", {}, channels)],
    );
    if (focused) this.list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  }
}
