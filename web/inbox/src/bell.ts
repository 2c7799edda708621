import { BELL, button, h, icon, setAttribute, setText } from "./dom";
import { type Messages, say } from "./messages";

/** The bell and its badge. */
export class Bell {
  readonly #badge = h("span", { class: "badge", part: "badge", "aria-hidden": "true" });
  readonly element = button({ class: "bell", part: "bell", "aria-haspopup": "dialog", "aria-expanded": "false" }, icon(BELL), this.#badge);

  render(count: number, open: boolean, messages: Messages): void {
    const shown = new Intl.NumberFormat(messages.lang).format(Math.min(count, 99));
    if (count > 0) setText(this.#badge, count > 99 ? `${shown}+` : shown); // An empty badge keeps its number while it fades.
    this.#badge.classList.toggle("shown", count > 0);
    setAttribute(this.element, "aria-label", count > 0 ? say(messages, "bell", { n: count }) : messages.title);
    setAttribute(this.element, "aria-expanded", String(open));
  }
}
