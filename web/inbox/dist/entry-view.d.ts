import type { Entry } from "./types";
/** What opens an entry: a link if its address is safe, else a button. Both have the same look. */
export declare function opener(entry: Entry, className: string, open: (event: Event) => void): HTMLElement;
