import type { Entry } from "./types";
/**
 * A text that sorts like (delivered_at, notification_id). Servers write a varying number of decimals ("…:05Z", "…:05.12Z"),
 * and Date knows milliseconds only, so the decimals are compared as text of one length.
 */
export declare function orderKey(entry: Entry): string;
export declare const newestFirst: (one: Entry, other: Entry) => number;
