import { button, h } from "./dom";
import { safeHref } from "./link";
import type { Entry } from "./types";

/** What opens an entry: a link if its address is safe, else a button. Both have the same look. */
export function opener(entry: Entry, className: string, open: (event: Event) => void): HTMLElement {
  const href = safeHref(entry.url);
  const foreign = href !== null && new URL(href, location.origin).origin !== location.origin;
  const created = href === null ? button({ class: className }) : h("a", { class: className, href, ...(foreign ? { target: "_blank", rel: "noopener noreferrer" } : {}) });
  created.addEventListener("click", open);
  return created;
}
