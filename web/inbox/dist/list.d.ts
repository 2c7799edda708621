import { type Messages } from "./messages";
import type { Entry } from "./types";
export interface ListActions {
    activate(entry: Entry, event: Event): void;
    archive(entry: Entry): void;
}
/** The entries of a tab. One row is in the tab order; the arrow keys, Home and End move among the rows. */
export declare class EntryList {
    #private;
    readonly element: HTMLUListElement;
    constructor(actions: ListActions);
    render(entries: Entry[], messages: Messages): void;
    /** Focus the current row. Returns whether there is one. */
    focus(): boolean;
}
