/** One notification in the inbox. Times are ISO 8601; `seen_at`, `read_at` and `archived_at` are set once and never unset. */
export interface Entry {
    notification_id: string;
    delivery_id: string;
    event_type: string;
    /** The tenant that it is from, as its producer named it. */
    tenant: string | null;
    title: string;
    body: string;
    url: string | null;
    data: Record<string, unknown>;
    actor_user_id: string | null;
    priority: number;
    created_at: string;
    delivered_at: string;
    seen_at: string | null;
    read_at: string | null;
    archived_at: string | null;
}
export interface Counts {
    unseen: number;
    unread: number;
}
export type Tab = "all" | "unread" | "archived";
/**
 * `away`: the source reconnects by itself. `refused`: it stopped, because the server does not accept the user's token.
 * `origin_refused`: it stopped, because INBOX_ORIGINS of the publisher does not list the page's origin.
 */
export type SourceState = "connecting" | "live" | "away" | "refused" | "origin_refused";
export interface Subscriber {
    /** `newest` replaces all that is known, unless it is null. `changed` is merged by notification_id. */
    entries(newest: Entry[] | null, changed: Entry[], counts: Counts): void;
    state(state: SourceState): void;
}
export interface Page {
    entries: Entry[];
    next: string | null;
}
/** Where the component gets its entries from. Marks are idempotent. A mark rejects with `Refused` when it can never succeed. */
export interface InboxSource {
    /** Names the user, so that marks that are not sent yet survive a reload. Without it they are kept in memory only. */
    readonly user?: string | undefined;
    /** Returns a function that ends the subscription. */
    subscribe(options: {
        limit: number;
    }, on: Subscriber): () => void;
    page(options: {
        tab: Tab;
        limit: number;
        before?: string | undefined;
    }): Promise<Page>;
    markRead(ids: string[]): Promise<void>;
    markAllRead(): Promise<void>;
    markSeen(): Promise<void>;
    archive(ids: string[]): Promise<void>;
}
/** Returns the user's inbox token. `renew` is true when the server did not accept the last one: a cached token must not be returned. */
export type GetToken = (options: {
    renew: boolean;
}) => string | Promise<string>;
/** What the server does not accept. For `session`, the user must sign in again. Marks are kept for then, and for `origin`. */
export type Unaccepted = "request" | "session" | "origin";
/** The server refuses this request, and repeating it does not help. */
export declare class Refused extends Error {
    readonly unaccepted: Unaccepted;
    readonly name = "Refused";
    constructor(message: string, unaccepted?: Unaccepted);
}
