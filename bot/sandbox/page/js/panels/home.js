/**
 * The app's Home tab: a view that stays, with buttons and inputs like a modal's and no submit.
 */

import { drawBlock } from "../blocks/blocks.js";
import { notify } from "../dialogs.js";
import { fill, h, reconcile } from "../dom.js";
import { ViewSurface } from "./modal.js";

export class Home {
  /** @param {Element} container @param {object} page gives `seat` and `directory` */
  constructor(container, page) {
    Object.assign(this, { container, page });
    this.surface = null;
  }

  reset() {
    this.surface = null;
    fill(this.container);
  }

  /** Shows the published view, asked for at `asOf`, or says that there is none. */
  show(view, asOf) {
    if (!view) {
      this.reset();
      fill(this.container, h("p", { class: "empty" }, "The app has not published a Home tab for this person yet."));
      return;
    }
    if (this.surface?.view.id !== view.id) {
      fill(this.container);
      this.surface = new ViewSurface(this.page.seat, this.page.directory, view, (error) => notify(error.message));
    }
    this.surface.update(view, asOf);
    reconcile(
      this.container,
      view.blocks.map((block, index) => ({
        key: block.block_id ?? `at-${index}`,
        print: this.surface.printOf(block),
        draw: () => h("div", { class: `block ${block.type}` }, drawBlock(block, this.surface, index)),
      })),
    );
  }
}
