/**
 * The address that an entry may link to, or null. Web pages and paths of this page's own origin are links; everything else,
 * also `//host`, `javascript:` and relative paths, is not. The browser's parser decides, because it drops tabs and
 * line ends and reads `\` as `/`.
 */
export declare function safeHref(url: string | null, origin?: string): string | null;
