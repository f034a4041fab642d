/**
 * The modals an app has opened for the person: a stack of views, of which the top one is shown.
 *
 * A view that the app updates is redrawn block by block. Blocks that did not change are not touched, so the caret stays
 * where it is; what was typed is kept by `States` under the block's and the element's id, as Slack keeps it.
 */

import { drawBlock, valueElements } from "../blocks/blocks.js";
import { debounced, fill, h, reconcile } from "../dom.js";
import { textObject } from "../blocks/mrkdwn.js";
import { isTyped, keyOf, problem, States, tidy, valueIn } from "../blocks/states.js";

const TYPING_PAUSE_MS = 300;

/** One view on the stack: what was typed, what is wrong, and how it talks to the workspace. */
export class ViewSurface {
  constructor(seat, directory, view, onRefused) {
    Object.assign(this, { seat, directory, view, onRefused });
    this.place = view.id;
    this.states = new States();
    this.errors = { ...view.errors };
    this.waiting = new Map();
    this.sent = Promise.resolve();
  }

  /** Takes what the workspace sent, asked for at `asOf`. */
  update(view, asOf) {
    this.states.asOf = asOf;
    if (view.hash !== this.view.hash || Object.keys(view.errors ?? {}).length) this.errors = { ...view.errors };
    this.view = view;
    const present = valueElements(view.blocks);
    this.states.keepOnly(new Set(present.map(({ key }) => key)));
    for (const { block, element } of present) this.stateOf(block, element);
  }

  stateOf(block, element) {
    return this.states.get(block, element, this.view.values?.[block.block_id]?.[element.action_id]);
  }

  errorOf(blockId) {
    return this.errors[blockId];
  }

  /** What decides whether a block must be drawn again. */
  printOf(block) {
    const versions = valueElements([block]).map(({ element }) => this.states.version(block, element));
    return JSON.stringify([block, this.errors[block.block_id] ?? null, versions]);
  }

  async changed(block, element, state, { finished, entered = false }) {
    this.states.set(block, element, state);
    if (block.type !== "input") {
      await this.act(block, element, state);
      return;
    }
    if (this.errors[block.block_id]) this.clearError(block.block_id);
    if (isTyped(element) && block.dispatch_action) {
      this.#dispatchTyped(block, element, state, entered);
      return;
    }
    const store = this.#storing(block, element);
    store();
    if (finished) await store.flush();
  }

  /** A typed input with dispatch_action tells the app on Enter, or while typing, whichever its config names. */
  #dispatchTyped(block, element, state, entered) {
    const when = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
    if (when.includes("on_character_entered")) this.#storing(block, element)();
    else if (entered && when.includes("on_enter_pressed")) this.#store(block, element);
  }

  /** Stores a control's newest state once a person pauses. */
  #storing(block, element) {
    const key = keyOf(block, element);
    if (!this.waiting.has(key)) this.waiting.set(key, debounced(() => this.#store(block, element), TYPING_PAUSE_MS));
    return this.waiting.get(key);
  }

  /** Stores one control after another, so that an older value never arrives after a newer one. */
  #store(block, element) {
    this.sent = this.sent.then(() => this.#send(block, element));
    return this.sent;
  }

  async #send(block, element) {
    const state = this.states.get(block, element);
    try {
      await this.seat.input(this.view.id, block.block_id, element.action_id, tidy(element, state));
      this.states.settle(block, element, state);
    } catch (error) {
      this.onRefused(error);
    }
  }

  /** Everything typed is with the workspace before the app is asked anything. */
  async flush() {
    for (const store of this.waiting.values()) store.flush();
    await this.sent;
  }

  async act(block, element, state) {
    await this.flush();
    try {
      await this.seat.act({ type: "view", view_id: this.view.id }, block.block_id, element.action_id, state);
      if (state) this.states.settle(block, element, state);
    } catch (error) {
      this.onRefused(error);
    }
  }

  /** Removes a field's error as soon as the person corrects it, without redrawing what has the focus. */
  clearError(blockId) {
    delete this.errors[blockId];
    const field = document.querySelector(`.modal [data-block="${CSS.escape(blockId)}"]`);
    field?.classList.remove("wrong");
    field?.querySelector(".field-error")?.remove();
    field?.querySelector("[aria-invalid]")?.removeAttribute("aria-invalid");
    const drawn = field?.closest("[data-item]");
    const block = this.view.blocks.find((one) => one.block_id === blockId);
    if (drawn && block) drawn.print = this.printOf(block);
  }

  /** Says at a field why what was typed was not taken. The next thing that is taken clears it. */
  explain(blockId, sentence) {
    this.clearError(blockId);
    const field = document.querySelector(`.modal [data-block="${CSS.escape(blockId)}"]`);
    if (!field) return;
    this.errors[blockId] = sentence;
    field.classList.add("wrong");
    field.querySelector(".field-label").after(h("p", { class: "field-error", role: "alert" }, sentence));
    const drawn = field.closest("[data-item]");
    const block = this.view.blocks.find((one) => one.block_id === blockId);
    if (drawn && block) drawn.print = this.printOf(block);
  }

  /** What is missing or impossible, by block. */
  problems() {
    const wrong = {};
    for (const block of this.view.blocks) {
      if (block.type !== "input") continue;
      const sentence = problem(block, this.stateOf(block, block.element));
      if (sentence) wrong[block.block_id] = sentence;
    }
    return wrong;
  }

  /** All values in Slack's form. */
  values() {
    const values = {};
    for (const { block, element } of valueElements(this.view.blocks)) {
      values[block.block_id] ??= {};
      values[block.block_id][element.action_id] = tidy(element, this.stateOf(block, element));
    }
    return values;
  }
}

/** The dialog that shows the top of the stack. */
export class ModalStack {
  /** @param {{directory: object, onChanged: () => void}} page `onChanged` fetches the stack anew */
  constructor(page) {
    this.page = page;
    this.surfaces = new Map();
    this.shown = null;
    this.title = h("h2", { id: "modal-title" });
    this.trail = h("p", { class: "modal-trail" });
    this.body = h("div", { class: "modal-body" });
    this.refusal = h("p", { class: "modal-refusal", role: "alert" });
    this.submitButton = h("button", { class: "button primary" });
    this.closeButton = h("button", { type: "button", class: "button", onclick: () => this.#close() });
    this.form = h(
      "form",
      { novalidate: true, onsubmit: (event) => this.#submit(event) },
      h(
        "header",
        { class: "modal-head" },
        h("div", {}, this.title, this.trail),
        h("button", { type: "button", class: "icon-button", "aria-label": "Close this form", onclick: () => this.#close() }, "✕"),
      ),
      this.body,
      this.refusal,
      h("footer", { class: "modal-foot" }, this.closeButton, this.submitButton),
    );
    this.dialog = h("dialog", { class: "modal", "aria-labelledby": "modal-title" }, this.form);
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#close();
    });
    // The browser closes a dialog on a second Esc without asking, so Esc is taken before it gets there.
    this.dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.target.closest("[popover]")) return;
      event.preventDefault();
      this.#close();
    });
    this.dialog.addEventListener("close", () => this.#close());
    document.body.append(this.dialog);
  }

  /** Forgets everything: another person is looking now. */
  reset(seat) {
    this.seat = seat;
    this.surfaces.clear();
    this.#show([]);
  }

  /** Shows the stack that the workspace sent, asked for at `asOf`. */
  update(views, asOf) {
    const present = new Set(views.map((view) => view.id));
    for (const id of this.surfaces.keys()) if (!present.has(id)) this.surfaces.delete(id);
    for (const view of views) {
      if (!this.surfaces.has(view.id)) {
        this.surfaces.set(view.id, new ViewSurface(this.seat, this.page.directory, view, (error) => this.#refuse(error)));
      }
      this.surfaces.get(view.id).update(view, asOf);
    }
    this.#show(views);
  }

  #show(views) {
    const top = views.at(-1);
    if (!top) {
      this.shown = null;
      if (this.dialog.open) this.dialog.close();
      return;
    }
    const another = this.shown?.view.id !== top.id;
    this.shown = this.surfaces.get(top.id);
    fill(this.title, textObject(top.title, this.page.directory));
    fill(this.trail, views.length > 1 ? "On top of another form, which is kept" : "");
    fill(this.closeButton, textObject(top.close ?? "Cancel", this.page.directory));
    fill(this.submitButton, textObject(top.submit ?? "Submit", this.page.directory));
    this.submitButton.hidden = !top.submit;
    if (another) {
      fill(this.body);
      this.#say("");
      this.form.removeAttribute("aria-busy");
    }
    this.#draw();
    if (!this.dialog.open) this.dialog.showModal();
    if (another) {
      this.body.scrollTop = 0;
      const first = this.body.querySelector("[autofocus]") ?? this.body.querySelector("input, select, textarea, button");
      (first ?? this.closeButton).focus({ preventScroll: true });
    }
  }

  #draw() {
    const surface = this.shown;
    reconcile(
      this.body,
      surface.view.blocks.map((block, index) => ({
        key: block.block_id ?? `at-${index}`,
        print: surface.printOf(block),
        draw: () => h("div", { class: `block ${block.type}` }, drawBlock(block, surface, index)),
      })),
    );
  }

  #say(sentence) {
    fill(this.refusal, sentence);
  }

  /** The workspace or the app refused: errors go to their fields, a sentence to the foot of the form. */
  #refuse(error) {
    if (error.fields && this.shown) {
      this.#showErrors(error.fields);
      return;
    }
    this.#say(error.message);
  }

  #showErrors(errors) {
    this.shown.errors = { ...errors };
    this.#draw();
    const wrong = this.body.querySelector(".field.wrong");
    const control = wrong?.querySelector("input, select, textarea");
    (control ?? wrong)?.focus?.();
    wrong?.scrollIntoView({ block: "nearest" });
    const elsewhere = Object.keys(errors).filter((id) => !this.body.querySelector(`[data-block="${CSS.escape(id)}"]`));
    this.#say(elsewhere.map((id) => errors[id]).join(" "));
  }

  async #submit(event) {
    event.preventDefault();
    const surface = this.shown;
    if (!surface || this.form.getAttribute("aria-busy") === "true") return;
    this.#say("");
    const wrong = surface.problems();
    if (Object.keys(wrong).length) {
      this.#showErrors(wrong);
      return;
    }
    this.form.setAttribute("aria-busy", "true");
    try {
      await surface.flush();
      await this.seat.submit(surface.view.id, surface.values());
      surface.errors = {};
    } catch (error) {
      if (this.shown === surface) this.#refuse(error);
    } finally {
      this.form.removeAttribute("aria-busy");
      this.page.onChanged();
    }
  }

  async #close() {
    const surface = this.shown;
    if (!surface || surface.closing) return;
    surface.closing = true;
    try {
      await this.seat.close(surface.view.id);
    } catch (error) {
      surface.closing = false;
      this.#refuse(error);
    }
    this.page.onChanged();
  }
}
