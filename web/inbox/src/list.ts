import { ARCHIVE, button, h, icon, setAttribute, setText } from "./dom";
import { opener } from "./entry-view";
import { type Messages, say } from "./messages";
import { fullTime, relativeTime } from "./relative-time";
import type { Entry } from "./types";

export interface ListActions {
  activate(entry: Entry, event: Event): void;
  archive(entry: Entry): void;
}

/** One row, with what was drawn, so that only rows that changed are drawn again. */
interface Row {
  element: HTMLLIElement;
  opener: HTMLElement;
  time: HTMLTimeElement;
  drawn: string;
}

/** The entries of a tab. One row is in the tab order; the arrow keys, Home and End move among the rows. */
export class EntryList {
  readonly element = h("ul", { class: "list", part: "list", role: "list" });
  readonly #actions: ListActions;
  readonly #rows = new Map<string, Row>();
  #entries: Entry[] = [];
  #current: string | null = null;

  constructor(actions: ListActions) {
    this.#actions = actions;
    this.element.addEventListener("keydown", (event) => this.#pressed(event));
    this.element.addEventListener("focusin", ({ target }) => this.#setCurrent((target as Element).closest("li")?.dataset.id ?? null));
  }

  render(entries: Entry[], messages: Messages): void {
    const focused = this.#focusedIndex();
    const lost = focused >= 0 && !entries.some(({ notification_id }) => notification_id === this.#entries[focused]?.notification_id);
    const first = this.#entries.length === 0;
    this.#entries = entries;
    this.#removeRows(new Set(entries.map(({ notification_id }) => notification_id)));
    let after: Element | null = null;
    for (const entry of entries) {
      const { element, time } = this.#row(entry, messages, first);
      setText(time, relativeTime(entry.delivered_at, messages.lang, Date.now()));
      const expected: Element | null = after ? after.nextElementSibling : this.element.firstElementChild;
      if (expected !== element) this.element.insertBefore(element, expected);
      after = element;
    }
    if (!entries.some(({ notification_id }) => notification_id === this.#current)) this.#current = null;
    this.#setCurrent(this.#current ?? entries[Math.max(0, lost ? Math.min(focused, entries.length - 1) : 0)]?.notification_id ?? null);
    if (lost) this.focus();
  }

  /** Focus the current row. Returns whether there is one. */
  focus(): boolean {
    const row = this.#current === null ? undefined : this.#rows.get(this.#current);
    row?.opener.focus();
    return row !== undefined;
  }

  #focusedIndex(): number {
    const focused = (this.element.getRootNode() as ShadowRoot).activeElement?.closest("li")?.dataset.id;
    return focused === undefined ? -1 : this.#entries.findIndex(({ notification_id }) => notification_id === focused);
  }

  #setCurrent(id: string | null): void {
    for (const each of new Set([this.#current, id])) {
      const row = each === null ? undefined : this.#rows.get(each);
      for (const control of row?.element.querySelectorAll("a, button") ?? []) setAttribute(control, "tabindex", each === id ? "0" : "-1");
    }
    this.#current = id;
  }

  #pressed(event: KeyboardEvent): void {
    const at = this.#focusedIndex();
    const last = this.#entries.length - 1;
    const target = { ArrowDown: Math.min(at + 1, last), ArrowUp: Math.max(at - 1, 0), Home: 0, End: last }[event.key];
    const entry = this.#entries[target ?? at];
    if (at < 0 || !entry || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Delete") this.#actions.archive(entry);
    else if (target === undefined) return;
    event.preventDefault();
    if (target === undefined) return;
    this.#setCurrent(entry.notification_id);
    this.focus();
  }

  #removeRows(kept: Set<string>): void {
    for (const [id, { element }] of this.#rows) {
      if (kept.has(id)) continue;
      element.remove();
      this.#rows.delete(id);
    }
  }

  #row(entry: Entry, messages: Messages, first: boolean): Row {
    const { notification_id: id, title, body, url, read_at, archived_at, delivered_at } = entry;
    const drawn = JSON.stringify([title, body, url, read_at !== null, archived_at !== null, delivered_at, messages.lang]);
    const known = this.#rows.get(id);
    if (known?.drawn === drawn) return known;
    const row = this.#draw(entry, messages, drawn, known?.element ?? h("li", { class: "entry", part: "entry", "data-id": id }));
    if (!known && !first && Date.now() - Date.parse(delivered_at) < 10_000) row.element.classList.add("new");
    this.#rows.set(id, row);
    return row;
  }

  #draw(entry: Entry, messages: Messages, drawn: string, element: HTMLLIElement): Row {
    const current = (id: string) => (id === this.#current ? "0" : "-1");
    const focused = (element.getRootNode() as Partial<ShadowRoot>).activeElement;
    const unread = entry.read_at === null && entry.archived_at === null;
    element.classList.toggle("unread", unread);
    setAttribute(element, "part", unread ? "entry entry-unread" : "entry");
    const time = h("time", { part: "entry-time", datetime: entry.delivered_at, title: fullTime(entry.delivered_at, messages.lang) });
    const open = opener(entry, "open", (event) => this.#actions.activate(entry, event));
    open.tabIndex = Number(current(entry.notification_id));
    const title = h("span", { class: "title", part: "entry-title", dir: "auto" }, entry.title);
    const mark = unread ? [h("span", { class: "spoken" }, `${messages.entryUnread}: `)] : [];
    open.append(h("span", { class: "line" }, ...mark, title, time), h("span", { class: "body", part: "entry-body", dir: "auto" }, entry.body));
    const controls: HTMLElement[] = [open];
    if (entry.archived_at === null) {
      const archive = button({ class: "icon", part: "archive", "aria-label": say(messages, "archive", { title: entry.title }), tabindex: current(entry.notification_id) }, icon(ARCHIVE));
      archive.addEventListener("click", () => this.#actions.archive(entry));
      controls.push(archive);
    }
    const kept = focused && element.contains(focused);
    element.replaceChildren(...controls);
    if (kept) open.focus();
    return { element, opener: open, time, drawn };
  }
}
