import { button, CLOSE, h, icon } from "./dom";
import { opener } from "./entry-view";
import { type Messages, say } from "./messages";
import type { Entry } from "./types";

const SHOWN_MS = 7_000;

/** What arrived while the panel was closed. Goes by itself, but not while the pointer or the focus is on it. */
export class Toast {
  readonly element = h("div", { class: "toast", part: "toast", role: "group", popover: "manual" });
  #entries: Entry[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly open: (entry: Entry | null, event: Event) => void) {
    for (const entered of ["pointerenter", "focusin"]) this.element.addEventListener(entered, () => clearTimeout(this.#timer));
    for (const left of ["pointerleave", "focusout"]) this.element.addEventListener(left, () => this.#hideLater());
  }

  /** Show the entry, or how many there are. Returns the text for screen readers. */
  show(entries: Entry[], messages: Messages): string {
    this.#entries = [...entries, ...this.#entries];
    const [newest] = this.#entries;
    if (!newest) return "";
    const one = this.#entries.length === 1;
    const text = one ? say(messages, "arrivedOne", { title: newest.title }) : say(messages, "arrivedMany", { n: this.#entries.length });
    const opened = (event: Event) => {
      this.hide();
      this.open(one ? newest : null, event);
    };
    const content = one ? opener(newest, "toast-open", opened) : button({ class: "toast-open" });
    if (!one) content.addEventListener("click", opened);
    content.append(h("strong", { dir: "auto" }, one ? newest.title : text), h("span", { dir: "auto" }, one ? newest.body : newest.title));
    const dismiss = button({ class: "icon", "aria-label": messages.dismiss }, icon(CLOSE));
    dismiss.addEventListener("click", () => this.hide());
    this.element.setAttribute("aria-label", messages.title);
    this.element.replaceChildren(content, dismiss);
    this.element.showPopover();
    this.#hideLater();
    return text;
  }

  hide(): void {
    clearTimeout(this.#timer);
    this.#entries = [];
    if (this.element.isConnected) this.element.hidePopover();
  }

  #hideLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.hide(), SHOWN_MS);
  }
}
