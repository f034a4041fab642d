/**
 * The traffic drawer: what the app and the workspace say to each other, and how fast the app acknowledges.
 */

import { fill, h } from "../dom.js";
import { traffic } from "../api.js";
import { clockTimeWithSeconds, momentOf } from "../times.js";

const EVERY_MS = 1000;
const KEPT = 500;
const ACKNOWLEDGE_WITHIN_MS = 3000;

const FAILED = new Set(["timeout", "given up", "not connected"]);

const asText = (detail) => (typeof detail === "string" ? detail : JSON.stringify(detail, null, 2));

/** Milliseconds with a unit, or nothing. */
const duration = (ms) => (ms === null || ms === undefined ? "" : ms < 1 ? "< 1 ms" : `${Math.round(ms)} ms`);

/** "12 acknowledged, median 8 ms, slowest 40 ms", and how many came too late. */
export function acknowledgements(entries) {
  const times = entries.filter((entry) => entry.kind === "ack" && entry.ms !== null && entry.ms !== undefined).map((entry) => entry.ms).sort((a, b) => a - b);
  if (times.length === 0) return "Nothing acknowledged yet.";
  const late = times.filter((ms) => ms > ACKNOWLEDGE_WITHIN_MS).length;
  const words = `${times.length} acknowledged, median ${duration(times[Math.floor(times.length / 2)])}, slowest ${duration(times.at(-1))}`;
  return late ? `${words}, ${late} after more than 3 s.` : `${words}.`;
}

export class TrafficDrawer {
  /** @param {Element} drawer the drawer @param {Element} toggle the button that opens it */
  constructor(drawer, toggle) {
    Object.assign(this, { drawer, toggle });
    this.entries = [];
    this.after = 0;
    this.timer = null;
    this.filter = h("input", { type: "search", placeholder: "Name, kind or status", "aria-label": "Filter the traffic", oninput: () => this.#draw() });
    this.summary = h("p", { class: "traffic-summary" });
    this.rows = h("tbody");
    this.scroller = h(
      "div",
      { class: "traffic-rows", tabindex: 0 },
      h("table", {}, h("thead", {}, h("tr", {}, ["Time", "Kind", "Name", "Status", "Took"].map((name) => h("th", { scope: "col" }, name)))), this.rows),
    );
    fill(
      drawer,
      h(
        "header",
        {},
        h("h2", {}, "Traffic"),
        this.summary,
        this.filter,
        h("button", { type: "button", class: "button", onclick: () => this.#clear() }, "Clear"),
        h("button", { type: "button", class: "icon-button", "aria-label": "Close the traffic drawer", onclick: () => this.open(false) }, "✕"),
      ),
      this.scroller,
    );
    toggle.addEventListener("click", () => this.open(drawer.hidden));
    drawer.addEventListener("keydown", (event) => event.key === "Escape" && this.open(false));
  }

  open(wanted) {
    this.drawer.hidden = !wanted;
    this.toggle.setAttribute("aria-expanded", String(wanted));
    clearTimeout(this.timer);
    if (wanted) {
      this.filter.focus();
      this.#poll();
    } else {
      // On a narrow window the left column, with the button that opened the drawer, is away.
      (this.toggle.closest("[inert]") ? document.getElementById("menu-toggle") : this.toggle).focus();
    }
  }

  #clear() {
    this.entries = [];
    this.#draw();
  }

  async #poll() {
    try {
      const { now, entries } = await traffic(this.after);
      if (now < this.after) this.entries = [];
      this.after = now;
      if (entries.length) {
        this.entries = [...this.entries, ...entries].slice(-KEPT);
        this.#draw();
      } else if (!this.summary.textContent) this.#draw();
    } catch {
      // The banner already says that the workspace does not answer; the drawer simply goes on asking.
    }
    if (!this.drawer.hidden) this.timer = setTimeout(() => this.#poll(), EVERY_MS);
  }

  #draw() {
    const wanted = this.filter.value.toLowerCase();
    const shown = this.entries.filter((entry) => `${entry.kind} ${entry.name} ${entry.status}`.toLowerCase().includes(wanted));
    const atEnd = this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < 40;
    fill(this.summary, acknowledgements(this.entries));
    const open = new Set([...this.rows.querySelectorAll("details[open]")].map((details) => details.dataset.entry));
    fill(this.rows, shown.map((entry) => row(entry, open.has(String(entry.n)))));
    if (atEnd) this.scroller.scrollTop = this.scroller.scrollHeight;
  }
}

function row(entry, open) {
  const late = entry.kind === "ack" && entry.ms > ACKNOWLEDGE_WITHIN_MS;
  const failed = entry.kind === "warning" || (entry.kind === "call" && entry.status !== "ok") || FAILED.has(entry.status);
  const moment = momentOf(entry.at);
  const name = entry.detail
    ? h("details", { open, dataset: { entry: entry.n } }, h("summary", {}, entry.name), h("pre", {}, asText(entry.detail)))
    : entry.name;
  return h(
    "tr",
    { class: late || failed ? "bad" : "" },
    h("td", {}, Number.isNaN(moment.getTime()) ? "" : clockTimeWithSeconds(moment)),
    h("td", {}, h("span", { class: `kind ${entry.kind}` }, entry.kind)),
    h("td", {}, name),
    h("td", {}, String(entry.status ?? "")),
    h("td", { class: "number" }, duration(entry.ms)),
  );
}
