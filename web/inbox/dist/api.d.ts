import { type Counts, type Entry, type GetToken, type Page, Refused, type SourceState, type Tab } from "./types";
export interface CountedPage extends Page {
    counts: Counts;
}
/** The publisher's inbox routes, with the user's token in a header. */
export declare class Api {
    #private;
    constructor(url: string, getToken: GetToken);
    /** Send a request. After a 401 it is sent once more with a new token. Throws `Refused` for an error that will not go away. */
    send(path: string, init?: RequestInit & {
        headers?: Record<string, string>;
    }): Promise<Response>;
    /** Forget the token, so that the next request asks for a new one. */
    renew(): void;
    page(tab: Tab, limit: number, before?: string): Promise<CountedPage>;
    mark(action: "read" | "read_all" | "seen" | "archive", ids?: string[]): Promise<void>;
}
/** The state of a source that a refusal stopped. Writes what a developer must do to the console. */
export declare function stoppedBy(refusal: Refused): SourceState;
/** The four marks of an `InboxSource`, which both sources send to the API. */
export declare const marksOf: (api: Api) => {
    markRead: (ids: string[]) => Promise<void>;
    markAllRead: () => Promise<void>;
    markSeen: () => Promise<void>;
    archive: (ids: string[]) => Promise<void>;
};
export interface Changes {
    entries: Entry[];
    counts: Counts;
}
