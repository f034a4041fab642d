/**
 * Building and redrawing the page's elements.
 *
 * Everything on the page is made by `h`, which sets text through text nodes only: nothing that a person or an app
 * writes is ever parsed as HTML. `reconcile` redraws a list in place, so that an element that did not change keeps
 * its focus, its caret and its scroll position.
 */

const SVG = "http://www.w3.org/2000/svg";

/** Sets one property: `on…` listens, `class`, `style` and `dataset` do what they say, the rest are attributes. */
function assign(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "dataset") Object.assign(element.dataset, value);
  else if (name === "style") assignStyle(element.style, value);
  else if (name === "value") element.value = value;
  else element.setAttribute(name, value === true ? "" : String(value));
}

function assignStyle(style, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("--")) style.setProperty(name, value);
    else style[name] = value;
  }
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/** An HTML element: `h("button", {class: "plain", onclick: press}, "Cancel")`. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  append(element, children);
  for (const [name, value] of Object.entries(properties)) assign(element, name, value);
  return element;
}

/** An SVG element, with the same arguments as `h`. */
export function svg(tag, properties = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  append(element, children);
  for (const [name, value] of Object.entries(properties)) assign(element, name, value);
  return element;
}

/** Replaces what is inside `element`. */
export function fill(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

/**
 * Makes `container` hold exactly `items`, in order, and leaves every child whose print is unchanged untouched.
 *
 * @param {Element} container holds nothing but children made here
 * @param {Array<{key: string, print: string, draw: () => Element}>} items `print` says what is drawn
 * @param {(old: Element, fresh: Element, item: object) => void} [carry] called before a changed child is replaced
 * @returns {Element[]} the children that are new or were drawn again
 */
export function reconcile(container, items, carry = () => {}) {
  const present = new Map([...container.children].map((child) => [child.dataset.item, child]));
  const wanted = new Set(items.map((item) => item.key));
  const focus = rememberFocus(container);
  const drawn = [];
  for (const [key, child] of present) if (!wanted.has(key)) child.remove();
  items.forEach((item, index) => {
    let child = present.get(item.key);
    if (!child || child.print !== item.print) {
      const fresh = item.draw();
      fresh.dataset.item = item.key;
      fresh.print = item.print;
      if (child) {
        carry(child, fresh, item);
        child.replaceWith(fresh);
      }
      child = fresh;
      drawn.push(fresh);
    }
    // Moving an element takes its focus away, so only what stands in the wrong place is moved.
    if (container.children[index] !== child) container.insertBefore(child, container.children[index] ?? null);
  });
  restoreFocus(container, focus);
  return drawn;
}

/** Which control inside `root` has the focus, and where its caret is. Controls are known by `data-key`. */
export function rememberFocus(root) {
  const active = document.activeElement;
  if (!active || !root.contains(active) || !active.dataset.key) return null;
  const takesText = typeof active.value === "string" && "selectionStart" in active;
  const item = active.closest("[data-item]")?.dataset.item;
  return { key: active.dataset.key, item, caret: takesText ? [active.selectionStart, active.selectionEnd] : null };
}

/** Gives the focus back to the control that `rememberFocus` saw, if a redraw took it away. */
export function restoreFocus(root, focus) {
  if (!focus) return;
  const within = focus.item === undefined ? "" : `[data-item="${CSS.escape(focus.item)}"] `;
  const control = root.querySelector(`${within}[data-key="${CSS.escape(focus.key)}"]`);
  if (!control || control === document.activeElement) return;
  control.focus({ preventScroll: true });
  if (focus.caret && focus.caret[0] !== null) {
    try {
      control.setSelectionRange(...focus.caret);
    } catch {
      // Some kinds of input have no caret; the focus is enough.
    }
  }
}

/** A function that runs `work` once at a time; calls made meanwhile are answered by one more run after it. */
export function coalesced(work) {
  let running = null;
  let again = false;
  return function run() {
    if (running) {
      again = true;
      return running;
    }
    running = (async () => {
      try {
        do {
          again = false;
          await work();
        } while (again);
      } finally {
        running = null;
      }
    })();
    return running;
  };
}

/** Calls `work` when `ms` have passed without another call; `flush` does it now if a call is waiting. */
export function debounced(work, ms) {
  let timer = null;
  const run = () => {
    timer = null;
    return work();
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(run, ms);
  };
  later.flush = () => {
    if (timer === null) return undefined;
    clearTimeout(timer);
    return run();
  };
  return later;
}

let numbered = 0;

/** A fresh id, to tie a label or an error to its control. */
export function freshId(prefix) {
  numbered += 1;
  return `${prefix}-${numbered}`;
}
