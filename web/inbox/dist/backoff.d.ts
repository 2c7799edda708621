/** Milliseconds to wait before the next try: between half of and the whole doubled delay, so that clients do not return together. */
export declare function backoff(failures: number, baseMs: number, random?: () => number): number;
