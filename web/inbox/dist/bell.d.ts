import { type Messages } from "./messages";
/** The bell and its badge. */
export declare class Bell {
    #private;
    readonly element: HTMLButtonElement;
    render(count: number, open: boolean, messages: Messages): void;
}
