import { Bell } from "./bell";
import { h, setAttribute, setText, sheet } from "./dom";
import { Inbox } from "./inbox";
import { safeHref } from "./link";
import { english, type Messages } from "./messages";
import type { Panel } from "./panel";
import shellCss from "./shell.css";
import { Toast } from "./toast";
import type { Counts, Entry, InboxSource, SourceState } from "./types";

const AWAY_AFTER_MS = 1_500; // A connection that is back sooner was not away, as far as a reader notices.
const SPOKEN_MS = 5_000;

const SHIPPED: Record<string, () => Promise<{ default: Messages }>> = {
  de: () => import("./messages/de"),
  ar: () => import("./messages/ar"),
};

// A server that renders the page has no HTMLElement.
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/** `<heliograph-inbox>`. The panel is loaded when it is opened for the first time. */
export class HeliographInbox extends Base {
  static readonly observedAttributes = ["mode", "lang", "dir", "badge"];

  #source: InboxSource | null = null;
  #inbox: Inbox | null = null;
  #given: Messages | null = null;
  #messages = english;
  #panel: Panel | null = null;
  #loadingPanel: Promise<Panel> | null = null;
  #open = false;
  #state: SourceState = "connecting";
  #awayTimer: ReturnType<typeof setTimeout> | undefined;
  #speaking: ReturnType<typeof setTimeout> | undefined;
  #counts = "";
  #bell!: Bell;
  #toast!: Toast;
  #root!: HTMLElement;
  #spoken!: HTMLElement;

  connectedCallback(): void {
    for (const name of ["source", "messages", "open"] as const) this.#takeEarlier(name);
    if (!this.shadowRoot) this.#build();
    this.#chooseMessages();
    this.#connect();
    document.addEventListener("pointerdown", this.#pressedOutside);
    if (this.mode === "page") void this.#show();
    this.#render();
  }

  disconnectedCallback(): void {
    document.removeEventListener("pointerdown", this.#pressedOutside);
    this.close();
    this.#panel?.hide();
    this.#disconnect();
  }

  attributeChangedCallback(name: string): void {
    if (!this.isConnected || !this.shadowRoot) return;
    if (name === "lang" || name === "dir") this.#chooseMessages();
    if (name === "mode") {
      this.close();
      if (this.mode === "page") void this.#show();
      else this.#panel?.hide();
    }
    this.#render();
  }

  get source(): InboxSource | null {
    return this.#source;
  }

  /** Where the entries come from. Set it to null when the user signs out: the component then forgets all entries. */
  set source(source: InboxSource | null) {
    if (source === this.#source) return;
    this.#source = source;
    if (!this.isConnected || !this.shadowRoot) return;
    this.#disconnect();
    this.#connect();
    this.#render();
  }

  get messages(): Messages {
    return this.#messages;
  }

  /** Texts for another language, or in your own words. They take precedence over `lang`. */
  set messages(messages: Messages | null) {
    this.#given = messages;
    if (this.shadowRoot) this.#chooseMessages();
  }

  get mode(): "bell" | "page" {
    return this.getAttribute("mode") === "page" ? "page" : "bell";
  }

  get counts(): Counts {
    return this.#inbox?.store.counts() ?? { unseen: 0, unread: 0 };
  }

  get open(): boolean {
    return this.#open || this.mode === "page";
  }

  set open(open: boolean) {
    if (open) this.show();
    else this.close();
  }

  show(): void {
    if (this.open) return;
    this.#open = true;
    this.#toast.hide();
    this.#emit("open", null);
    this.#render();
    void this.#show();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.mode !== "page") this.#panel?.hide();
    this.#emit("close", null);
    this.#render();
  }

  #build(): void {
    this.#bell = new Bell();
    this.#toast = new Toast((entry, event) => (entry ? this.#activate(entry, event) : this.show()));
    this.#spoken = h("p", { class: "spoken", role: "status", "aria-live": "polite" });
    this.#root = h("div", { class: "root" }, this.#bell.element, this.#toast.element, this.#spoken);
    const shadow = this.attachShadow({ mode: "open", delegatesFocus: false });
    shadow.adoptedStyleSheets = [sheet(shellCss)];
    shadow.append(this.#root);
    this.#bell.element.addEventListener("click", () => (this.open ? this.close() : this.show()));
    for (const near of ["pointerenter", "focus"]) this.#bell.element.addEventListener(near, () => void this.#loadPanel().catch(() => {}));
    this.#root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#open) return;
      event.stopPropagation();
      this.close();
      this.#bell.element.focus();
    });
    this.#root.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget instanceof Node && !this.contains(relatedTarget) && !this.#root.contains(relatedTarget)) this.close();
    });
  }

  /** Take over a property that was set before the element was defined. */
  #takeEarlier(name: "source" | "messages" | "open"): void {
    const earlier = Object.getOwnPropertyDescriptor(this, name);
    if (!earlier) return;
    delete (this as Record<string, unknown>)[name];
    Object.assign(this, { [name]: earlier.value });
  }

  #connect(): void {
    if (!this.#source) return;
    const inbox = (this.#inbox = new Inbox(this.#source, {
      changed: () => this.#render(),
      arrived: (entries) => this.#arrived(entries),
      stateChanged: (state) => this.#stateChanged(state),
    }));
    this.#panel?.use(inbox);
    inbox.start();
  }

  #disconnect(): void {
    clearTimeout(this.#awayTimer);
    this.#awayTimer = undefined;
    this.#inbox?.stop();
    this.#inbox = null;
    this.#panel?.use(null);
    this.#state = "connecting";
    if (this.shadowRoot) this.#toast.hide();
  }

  #stateChanged(state: SourceState): void {
    const show = () => {
      this.#awayTimer = undefined;
      if (this.#state !== state) this.#emit("state", state);
      this.#state = state;
      this.#render();
    };
    // Each failed try reports `away` again, which must not start the delay again.
    if (state === "away") this.#awayTimer ??= setTimeout(show, AWAY_AFTER_MS);
    else {
      clearTimeout(this.#awayTimer);
      show();
    }
  }

  #arrived(entries: Entry[]): void {
    this.#emit("arrival", entries);
    if (!this.open) this.#speak(this.#toast.show(entries, this.#messages));
  }

  /** Announce a text. It is removed later, so that the same text is announced again. */
  #speak(text: string): void {
    clearTimeout(this.#speaking);
    setText(this.#spoken, text);
    this.#speaking = setTimeout(() => setText(this.#spoken, ""), SPOKEN_MS);
  }

  #activate(entry: Entry, event: Event): void {
    this.#inbox?.read([entry.notification_id]);
    if (!this.#emit("entry", entry)) event.preventDefault();
    if (safeHref(entry.url)) this.close();
  }

  #emit(name: "open" | "close" | "state" | "arrival" | "entry" | "counts", detail: unknown): boolean {
    return this.dispatchEvent(new CustomEvent(`heliograph-${name}`, { detail, bubbles: true, composed: true, cancelable: name === "entry" }));
  }

  #chooseMessages(): void {
    const lang = this.lang || this.closest("[lang]")?.getAttribute("lang") || "en";
    const use = (messages: Messages) => {
      this.#messages = messages;
      setAttribute(this.#root, "lang", messages.lang);
      setAttribute(this.#root, "dir", this.dir || messages.dir);
      this.#render();
    };
    const shipped = SHIPPED[lang.toLowerCase().split("-")[0] ?? ""];
    if (this.#given) use(this.#given);
    else if (!shipped) use(english);
    else {
      shipped().then(
        ({ default: messages }) => this.#given ?? use(messages),
        (error: unknown) => console.warn("heliograph-inbox: the messages could not be loaded.", error),
      );
    }
  }

  #loadPanel(): Promise<Panel> {
    this.#loadingPanel ??= import("./panel").then(({ Panel: Loaded }) => {
      const panel = new Loaded({
        activate: (entry, event) => this.#activate(entry, event),
        close: () => {
          this.close();
          this.#bell.element.focus();
        },
        retry: () => this.#inbox?.start(),
        speak: (text) => this.#speak(text),
      });
      panel.use(this.#inbox);
      this.shadowRoot!.adoptedStyleSheets.push(panel.styles);
      this.#bell.element.after(panel.element);
      return (this.#panel = panel);
    });
    this.#loadingPanel.catch(() => (this.#loadingPanel = null));
    return this.#loadingPanel;
  }

  async #show(): Promise<void> {
    try {
      const panel = await this.#loadPanel();
      if (!this.isConnected || !this.open) return;
      panel.show(this.mode === "page" ? null : this.#bell.element);
      this.#render();
    } catch (error) {
      console.warn("heliograph-inbox: the panel could not be loaded.", error);
      this.close();
    }
  }

  #pressedOutside = (event: Event): void => {
    if (!event.composedPath().includes(this)) this.close();
  };

  #render(): void {
    if (!this.shadowRoot) return;
    const counts = this.counts;
    this.#root.classList.toggle("page", this.mode === "page");
    this.#bell.render(counts[this.getAttribute("badge") === "unread" ? "unread" : "unseen"], this.#open, this.#messages);
    this.#panel?.render(this.#state, this.#messages);
    if (this.#counts === JSON.stringify(counts)) return;
    this.#counts = JSON.stringify(counts);
    this.#emit("counts", counts);
  }
}
