import { ARCHIVE, BELL, button, CHECK, CLOSE, h, icon, setAttribute, setText, sheet } from "./dom";
import type { Inbox } from "./inbox";
import { EntryList } from "./list";
import { english, type Messages, say } from "./messages";
import panelCss from "./panel.css";
import { place } from "./place";
import type { Entry, SourceState, Tab } from "./types";

const TABS: Tab[] = ["all", "unread", "archived"];
const EMPTY = {
  all: [BELL, "emptyAll", "emptyAllHint"],
  unread: [CHECK, "emptyUnread", "emptyUnreadHint"],
  archived: [ARCHIVE, "emptyArchived", "emptyArchivedHint"],
} as const;
const RENEW_MS = 20_000;
const SEEN_AFTER_MS = 600;

export interface PanelHost {
  activate(entry: Entry, event: Event): void;
  close(): void;
  retry(): void;
  speak(text: string): void;
}

/** The panel: tabs, entries, and what explains their absence. */
export class Panel {
  readonly styles = sheet(panelCss);
  readonly #host: PanelHost;
  readonly #title = h("h2", { part: "title", id: "title" });
  readonly #readAll = button({ class: "plain", part: "read-all" });
  readonly #close = button({ class: "icon dismiss" }, icon(CLOSE));
  readonly #tabs = TABS.map((tab) => button({ class: "tab", part: "tab", role: "tab", id: `tab-${tab}`, "aria-controls": "entries" }));
  readonly #notice = h("p", { class: "notice", part: "notice", role: "status" });
  readonly #list: EntryList;
  readonly #empty = h("div", { class: "empty", part: "empty" });
  readonly #more = h("div", { class: "more" });
  readonly #scroll = h("div", { class: "scroll", role: "tabpanel", id: "entries" });
  readonly element: HTMLElement;
  #inbox: Inbox | null = null;
  #tab: Tab = "all";
  #state: SourceState = "connecting";
  #messages = english;
  #bell: HTMLElement | null = null;
  #shown = false;
  #failed = false;
  #watch: IntersectionObserver | null = null;
  #renewing: ReturnType<typeof setInterval> | undefined;
  #seeing: ReturnType<typeof setTimeout> | undefined;

  constructor(host: PanelHost) {
    this.#host = host;
    this.#list = new EntryList({ activate: host.activate, archive: (entry) => this.#archive(entry) });
    this.#scroll.append(this.#list.element, this.#empty, this.#more);
    const head = h("div", { class: "head", part: "header" }, this.#title, this.#readAll, this.#close);
    const tabs = h("div", { class: "tabs", part: "tabs", role: "tablist", "aria-labelledby": "title" }, ...this.#tabs);
    // A popover from the start: it is loaded when the pointer comes near the bell, and must not show before it is opened.
    const attributes = { class: "panel", part: "panel", "aria-labelledby": "title", tabindex: "-1", popover: "manual" };
    this.element = h("div", attributes, head, tabs, this.#notice, this.#scroll);
    this.#readAll.addEventListener("click", () => this.#inbox?.readAll());
    this.#close.addEventListener("click", () => host.close());
    this.#tabs.forEach((tab, index) => tab.addEventListener("click", () => this.#choose(index)));
    tabs.addEventListener("keydown", (event) => this.#pressedInTabs(event));
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" && !event.defaultPrevented && this.#list.focus()) event.preventDefault();
    });
  }

  use(inbox: Inbox | null): void {
    this.#inbox = inbox;
    this.#failed = false;
  }

  /** Open below the bell, or inside the page without one. */
  show(bell: HTMLElement | null): void {
    this.hide();
    this.#shown = true;
    this.#bell = bell;
    setAttribute(this.element, "role", bell ? "dialog" : "region");
    setAttribute(this.element, "popover", bell ? "manual" : null);
    if (bell) {
      this.element.showPopover();
      addEventListener("resize", this.#place);
      addEventListener("scroll", this.#place, { capture: true, passive: true });
      this.#draw();
      this.#place();
      this.element.focus({ preventScroll: true });
    }
    this.#watch = new IntersectionObserver(([seen]) => seen?.isIntersecting && this.#load(), { root: bell ? this.#scroll : null, rootMargin: "400px" });
    this.#renewing = setInterval(() => this.#draw(), RENEW_MS);
  }

  hide(): void {
    if (!this.#shown) return;
    this.#shown = false;
    this.#watch?.disconnect();
    this.#watch = null;
    clearInterval(this.#renewing);
    clearTimeout(this.#seeing);
    this.#seeing = undefined;
    removeEventListener("resize", this.#place);
    removeEventListener("scroll", this.#place, { capture: true });
    if (this.element.isConnected && this.element.popover) this.element.hidePopover();
  }

  render(state: SourceState, messages: Messages): void {
    this.#state = state;
    this.#messages = messages;
    if (this.#shown) this.#draw();
  }

  #draw(): void {
    const messages = this.#messages;
    const entries = this.#inbox?.store.list(this.#tab) ?? [];
    const counts = this.#inbox?.store.counts() ?? { unread: 0, unseen: 0 };
    setText(this.#title, messages.title);
    setText(this.#readAll, messages.readAll);
    this.#readAll.disabled = counts.unread === 0;
    setAttribute(this.#close, "aria-label", messages.close);
    this.#drawTabs(counts.unread);
    this.#drawNotice();
    this.#list.render(entries, messages);
    this.#drawRest(entries.length);
    if (this.#bell) this.#place();
    this.#see(counts.unseen);
  }

  #drawTabs(unread: number): void {
    const count = new Intl.NumberFormat(this.#messages.lang).format(unread);
    this.#tabs.forEach((tab, index) => {
      const name = TABS[index]!;
      const selected = name === this.#tab;
      const parts = [this.#messages[name], ...(name === "unread" && unread > 0 ? [" ", h("span", { class: "count" }, count)] : [])];
      if (tab.textContent !== parts.map((part) => (typeof part === "string" ? part : part.textContent)).join("")) tab.replaceChildren(...parts);
      setAttribute(tab, "aria-selected", String(selected));
      setAttribute(tab, "tabindex", selected ? "0" : "-1");
    });
    setAttribute(this.#scroll, "aria-labelledby", `tab-${this.#tab}`);
  }

  #drawNotice(): void {
    const state = this.#state === "connecting" || this.#state === "live" ? null : this.#state;
    if (this.#notice.dataset.shown === `${state} ${this.#messages.lang}`) return;
    this.#notice.dataset.shown = `${state} ${this.#messages.lang}`;
    this.#notice.className = `notice ${state ?? ""}`;
    this.#notice.replaceChildren();
    if (state) this.#notice.append(h("span", {}, this.#messages[state]));
    if (state && state !== "away") this.#notice.append(this.#retry(() => this.#host.retry()));
  }

  /** Below the entries: the next page on its way, why it does not come, or that there are no entries. */
  #drawRest(shown: number): void {
    const { store } = this.#inbox ?? {};
    const waiting = this.#state === "connecting" || this.#state === "away";
    const more = store ? store.next(this.#tab) !== null && (store.filled || shown > 0) : false;
    const skeleton = shown === 0 && !this.#failed && (more || (waiting && !store?.filled));
    this.#empty.hidden = shown > 0 || more || skeleton || (!waiting && !store?.filled);
    if (!this.#empty.hidden) {
      const [image, title, hint] = EMPTY[this.#tab];
      this.#empty.replaceChildren(icon(image), h("strong", {}, this.#messages[title]), h("span", {}, this.#messages[hint]));
    }
    this.#more.hidden = !more && !skeleton;
    setAttribute(this.#scroll, "aria-busy", skeleton ? "true" : null);
    this.#more.className = skeleton ? "waiting" : "more";
    if (skeleton) this.#more.replaceChildren(h("i"), h("i"), h("i"));
    else if (this.#failed) this.#more.replaceChildren(h("span", {}, this.#messages.loadFailed), this.#retry(() => this.#load(true)));
    else this.#more.replaceChildren(h("span", {}, this.#messages.loading));
    if (this.#more.hidden || this.#failed) this.#watch?.disconnect();
    else {
      // Observing again reports at once whether it is in sight, also when a short page did not move it out.
      this.#watch?.unobserve(this.#more);
      this.#watch?.observe(this.#more);
    }
  }

  #retry(again: () => void): HTMLButtonElement {
    const retry = button({ class: "plain" }, this.#messages.retry);
    retry.addEventListener("click", again);
    return retry;
  }

  #load(again = false): void {
    if (!this.#inbox?.store.filled || (this.#failed && !again)) return;
    this.#failed = false;
    this.#inbox.load(this.#tab).catch(() => {
      this.#failed = true;
      if (this.#shown) this.#draw();
    });
  }

  #see(unseen: number): void {
    if (unseen === 0 || document.visibilityState === "hidden") return;
    this.#seeing ??= setTimeout(() => {
      this.#seeing = undefined;
      if (this.#shown) this.#inbox?.seen();
    }, SEEN_AFTER_MS);
  }

  #archive(entry: Entry): void {
    if (entry.archived_at !== null) return;
    this.#inbox?.archive([entry.notification_id]);
    this.#host.speak(say(this.#messages, "entryArchived", { title: entry.title }));
    const { activeElement } = this.element.getRootNode() as ShadowRoot;
    if (!activeElement) this.element.focus({ preventScroll: true });
  }

  #choose(index: number): void {
    this.#tab = TABS[index]!;
    this.#failed = false;
    this.#scroll.scrollTop = 0;
    this.#draw();
  }

  #pressedInTabs(event: KeyboardEvent): void {
    const step = getComputedStyle(this.element).direction === "rtl" ? -1 : 1;
    const at = TABS.indexOf(this.#tab);
    const to = { ArrowRight: at + step, ArrowLeft: at - step, Home: 0, End: TABS.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const index = (to + TABS.length) % TABS.length;
    this.#choose(index);
    this.#tabs[index]!.focus();
  }

  #place = (): void => {
    if (this.#bell) place(this.element, this.#bell);
  };
}
