import { HeliographInbox } from "./element";

export { HeliographInbox } from "./element";
export { liveSource, type LiveOptions } from "./live";
export { safeHref } from "./link";
export type { Message, Messages } from "./messages";
export { Refused } from "./types";
export type { Counts, Entry, GetToken, InboxSource, Page, SourceState, Subscriber, Tab } from "./types";

declare global {
  interface HTMLElementTagNameMap {
    "heliograph-inbox": HeliographInbox;
  }
}

// A server that renders the page has no custom elements.
if (globalThis.customElements && !customElements.get("heliograph-inbox")) customElements.define("heliograph-inbox", HeliographInbox);
