import type { Inbox } from "./inbox";
import { type Messages } from "./messages";
import type { Entry, SourceState } from "./types";
export interface PanelHost {
    activate(entry: Entry, event: Event): void;
    close(): void;
    retry(): void;
    speak(text: string): void;
}
/** The panel: tabs, entries, and what explains their absence. */
export declare class Panel {
    #private;
    readonly styles: CSSStyleSheet;
    readonly element: HTMLElement;
    constructor(host: PanelHost);
    use(inbox: Inbox | null): void;
    /** Open below the bell, or inside the page without one. */
    show(bell: HTMLElement | null): void;
    hide(): void;
    render(state: SourceState, messages: Messages): void;
}
