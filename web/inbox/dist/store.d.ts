import type { Counts, Entry, Page, Tab } from "./types";
/** Everything up to an entry was read or seen. `key` is that entry's order key. */
export interface UpTo {
    key: string;
    at: string;
}
/** Marks that the user made and that no entry from the server shows yet. The ids point to the time of the mark. */
export interface Marks {
    read: Map<string, string>;
    archive: Map<string, string>;
    readUpTo: UpTo | null;
    seenUpTo: UpTo | null;
}
export declare const noMarks: () => Marks;
/**
 * What is known of one inbox: the server's entries, with the user's own marks on top.
 *
 * States are set once, so merging keeps whatever is set. An older snapshot therefore never undoes a mark. Does no I/O.
 */
export declare class Store {
    #private;
    readonly marks: Marks;
    /** Changes when a snapshot replaced everything: a page that was requested before does not fit any more. */
    generation: number;
    /** Whether anything was received. */
    filled: boolean;
    /**
     * Take over the newest entries that are not archived. Fewer than `limit` of them are all that there are.
     *
     * What is known below them is kept if no gap is between, so that nothing moves that the user reads: returns true, and
     * `refresh` must bring these entries up to date.
     */
    snapshot(newest: Entry[], counts: Counts, limit: number): boolean;
    /** The order key down to which `all` is loaded without a gap. */
    get depth(): string;
    /** The ids of all entries that are known. */
    ids(): Set<string>;
    /** Take over the newest entries, read again. Those of `known` that they lack are archived or deleted by now. */
    refresh(newest: Entry[], known: Set<string>): void;
    /** Merge entries that changed. Returns those that are new and that the user has not seen, the newest first. */
    changes(changed: Entry[], counts: Counts): Entry[];
    page(tab: Tab, { entries, next }: Page): void;
    /** The entries of a tab, the newest first, as far as they are loaded without a gap. */
    list(tab: Tab): Entry[];
    /** The cursor of the next page; undefined asks for the first one; null: there is none. */
    next(tab: Tab): string | null | undefined;
    /** The server's counts, without what the user marked since. */
    counts(): Counts;
    markRead(ids: string[], at: string): void;
    archive(ids: string[], at: string): void;
    /** The mark for everything that is known now, or null for an empty inbox. */
    upToNow(at: string): UpTo | null;
}
