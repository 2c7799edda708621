import { type Messages } from "./messages";
import type { Counts, InboxSource } from "./types";
declare const Base: {
    new (): HTMLElement;
    prototype: HTMLElement;
};
/** `<heliograph-inbox>`. The panel is loaded when it is opened for the first time. */
export declare class HeliographInbox extends Base {
    #private;
    static readonly observedAttributes: string[];
    connectedCallback(): void;
    disconnectedCallback(): void;
    attributeChangedCallback(name: string): void;
    get source(): InboxSource | null;
    /** Where the entries come from. Set it to null when the user signs out: the component then forgets all entries. */
    set source(source: InboxSource | null);
    get messages(): Messages;
    /** Texts for another language, or in your own words. They take precedence over `lang`. */
    set messages(messages: Messages | null);
    get mode(): "bell" | "page";
    get counts(): Counts;
    get open(): boolean;
    set open(open: boolean);
    show(): void;
    close(): void;
}
export {};
