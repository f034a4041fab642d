/**
 * Small dialogs above the page: asking before an action, entering a line of text, looking at a picture, notices.
 *
 * The browser's own <dialog> keeps the focus inside, closes on Esc and gives the focus back.
 */

import { fill, freshId, h } from "./dom.js";
import { textObject } from "./blocks/mrkdwn.js";

/** Opens `dialog` as a modal one and answers its return value when it is closed; it is removed then. */
function ask(dialog) {
  document.body.append(dialog);
  const opener = document.activeElement;
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (opener?.isConnected) opener.focus({ preventScroll: true });
      resolve(dialog.returnValue);
    });
    dialog.showModal();
  });
}

/** Shows Block Kit's confirm object; true when the person agrees, and at once when there is nothing to confirm. */
export async function confirmed(confirm, directory) {
  if (!confirm) return true;
  const title = freshId("confirm");
  const text = freshId("confirm");
  const style = confirm.style === "danger" ? "danger" : "primary";
  const answer = await ask(
    h(
      "dialog",
      { class: "small-dialog", role: "alertdialog", "aria-labelledby": title, "aria-describedby": text },
      h(
        "form",
        { method: "dialog" },
        h("h2", { id: title }, textObject(confirm.title, directory)),
        h("div", { id: text, class: "rich" }, textObject(confirm.text, directory)),
        h(
          "div",
          { class: "dialog-buttons" },
          h("button", { class: "button", value: "no" }, textObject(confirm.deny ?? "Cancel", directory)),
          h("button", { class: `button ${style}`, value: "yes", autofocus: true }, textObject(confirm.confirm ?? "Yes", directory)),
        ),
      ),
    ),
  );
  return answer === "yes";
}

/** A yes-or-no question of the page itself. */
export const agreed = (title, text, yes) =>
  confirmed({ title, text, confirm: yes, deny: "Cancel", style: "danger" }, null);

/** Asks for a line of text (several lines with `lines` > 1); null when the person leaves without one. */
export async function askForText({ title, label, yes, value = "", lines = 1 }) {
  const heading = freshId("ask");
  const input =
    lines > 1
      ? h("textarea", { rows: lines, required: true, value, autofocus: true })
      : h("input", { required: true, maxlength: 80, autocomplete: "off", value, autofocus: true });
  const dialog = h(
    "dialog",
    { class: "small-dialog", "aria-labelledby": heading },
    h(
      "form",
      { method: "dialog" },
      h("h2", { id: heading }, title),
      h("label", { class: "field" }, h("span", { class: "field-label" }, label), input),
      h(
        "div",
        { class: "dialog-buttons" },
        h("button", { class: "button", value: "no", formnovalidate: true, type: "button", onclick: () => dialog.close("no") }, "Cancel"),
        h("button", { class: "button primary", value: "yes" }, yes),
      ),
    ),
  );
  const answer = await ask(dialog);
  return answer === "yes" && input.value.trim() ? input.value.trim() : null;
}

/** The picture that is being looked at: its place in the conversation, and its element. */
let enlarged = null;

/** Shows a picture as large as the window allows; `place` names it, so that a newer frame can take its place. */
export async function enlarge(place, address, alt) {
  const picture = h("img", { src: address, alt });
  const caption = h("figcaption", {}, alt);
  const dialog = h(
    "dialog",
    { class: "lightbox", "aria-label": "Picture" },
    h("form", { method: "dialog" }, h("button", { class: "icon-button", "aria-label": "Close the picture", autofocus: true }, "✕")),
    h("figure", {}, picture, caption),
  );
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  enlarged = { place, picture, caption };
  await ask(dialog);
  enlarged = null;
}

/** A message was redrawn: when its picture is being looked at, the new one is shown. */
export function followPicture(place, address, alt) {
  if (enlarged?.place !== place) return;
  enlarged.picture.src = address;
  enlarged.picture.alt = alt;
  fill(enlarged.caption, alt);
}

/** Says a sentence at the foot of the page, until it is dismissed or has been there for a while. */
export function notify(sentence, { kind = "error" } = {}) {
  const region = document.getElementById("notices");
  const note = h(
    "div",
    { class: `notice ${kind}` },
    h("p", {}, sentence),
    h("button", { class: "icon-button", type: "button", "aria-label": "Dismiss", onclick: () => note.remove() }, "✕"),
  );
  region.append(note);
  setTimeout(() => note.remove(), kind === "error" ? 12_000 : 5_000);
}
