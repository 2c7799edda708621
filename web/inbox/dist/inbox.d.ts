import { Store } from "./store";
import type { Entry, InboxSource, SourceState, Tab } from "./types";
export interface Watcher {
    changed(): void;
    arrived(entries: Entry[]): void;
    stateChanged(state: SourceState): void;
}
/** One user's inbox: connects the source, the store and the queue of marks. Knows nothing of the page. */
export declare class Inbox {
    #private;
    readonly store: Store;
    state: SourceState;
    constructor(source: InboxSource, watcher: Watcher);
    start(): void;
    stop(): void;
    read(ids: string[]): void;
    archive(ids: string[]): void;
    readAll(): void;
    seen(): void;
    /** Load the next page of a tab, unless it is being loaded or there is none. Rejects when it cannot be loaded. */
    load(tab: Tab): Promise<void>;
}
