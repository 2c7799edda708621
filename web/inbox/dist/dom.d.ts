type Child = Node | string;
/** Create an element. Strings become text, never HTML, so the component works under a strict content-security policy. */
export declare function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes?: Record<string, string>, ...children: Child[]): HTMLElementTagNameMap[K];
/** A button that submits no form. */
export declare const button: (attributes: Record<string, string>, ...children: Child[]) => HTMLButtonElement;
/** An icon of 20 by 20 in the colour of the text, which assistive technology skips. */
export declare function icon(path: string): SVGSVGElement;
export declare const BELL = "M10 2.5a5 5 0 0 0-5 5c0 4.4-1.7 5.6-1.7 6.6h13.4c0-1-1.7-2.2-1.7-6.6a5 5 0 0 0-5-5ZM8 16.9a2.1 2.1 0 0 0 4 0";
export declare const CHECK = "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15Zm-3.2 7.7 2.2 2.2 4.3-4.6";
export declare const CLOSE = "m5.5 5.5 9 9m0-9-9 9";
export declare const ARCHIVE = "M3 4h14v3.5H3zM4.3 7.5V16h11.4V7.5M8 11h4";
/** Set text only when it differs: assistive technology reads each assignment in a live region aloud. */
export declare function setText(node: Node, text: string): void;
export declare function setAttribute(element: Element, name: string, value: string | null): void;
export declare function sheet(...css: string[]): CSSStyleSheet;
export {};
