/** Put the panel below the bell, or above it where there is more room, and inside the window. */
export declare function place(panel: HTMLElement, bell: HTMLElement): void;
