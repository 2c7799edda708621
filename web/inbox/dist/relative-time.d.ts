/** "now", "5 min. ago", "yesterday"; after a week the date. A time in the future, by a wrong clock, is now. */
export declare function relativeTime(iso: string, lang: string, now: number): string;
export declare const fullTime: (iso: string, lang: string) => string;
