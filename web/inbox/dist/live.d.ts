import { type GetToken, type InboxSource } from "./types";
export interface LiveOptions {
    /** Names the user, so that marks that are not sent yet survive a reload. */
    user?: string;
}
/** Entries by server-sent events from a self-hosted publisher. `url` is the publisher's address; "" is this page's own. */
export declare function liveSource(url: string, getToken: GetToken, options?: LiveOptions): InboxSource;
