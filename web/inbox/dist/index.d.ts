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
