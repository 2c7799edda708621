import { type Messages } from "./messages";
import type { Entry } from "./types";
/** What arrived while the panel was closed. Goes by itself, but not while the pointer or the focus is on it. */
export declare class Toast {
    #private;
    private readonly open;
    readonly element: HTMLDivElement;
    constructor(open: (entry: Entry | null, event: Event) => void);
    /** Show the entry, or how many there are. Returns the text for screen readers. */
    show(entries: Entry[], messages: Messages): string;
    hide(): void;
}
