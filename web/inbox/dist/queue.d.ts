import { type Marks, type UpTo } from "./store";
import { type InboxSource } from "./types";
export interface QueueOptions {
    storage: Pick<Storage, "getItem" | "setItem" | "removeItem"> | null;
    /** The server refused these marks for good: what was shown in advance must be undone. */
    refused(marks: Marks): void;
    /** Whether everything that was delivered has been seen, so that marking all as seen late marks nothing too much. */
    allSeen(): boolean;
}
/** Marks that are not sent yet. Sends them in order, keeps them over failures, and over a reload if there is a storage. */
export declare class MarkQueue {
    #private;
    constructor(source: InboxSource, options: QueueOptions);
    /** Read what an earlier page could not send. */
    restore(): Marks;
    read(ids: string[], at: string): void;
    archive(ids: string[], at: string): void;
    readUpTo(upTo: UpTo): void;
    seenUpTo(upTo: UpTo): void;
    /** Send now what is pending, for example because the connection is back. */
    flush(): Promise<void>;
    stop(): void;
}
