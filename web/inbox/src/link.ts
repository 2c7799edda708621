/**
 * The address that an entry may link to, or null. Web pages and paths of this page's own origin are links; everything else,
 * also `//host`, `javascript:` and relative paths, is not. The browser's parser decides, because it drops tabs and
 * line ends and reads `\` as `/`.
 */
export function safeHref(url: string | null, origin: string = location.origin): string | null {
  if (!url) return null;
  try {
    const parsed = new URL(url, origin);
    if (url.startsWith("/")) return parsed.origin === origin ? url : null;
    return /^https?:\/\/[^/\\]/i.test(url) && /^https?:$/.test(parsed.protocol) ? parsed.href : null;
  } catch {
    return null;
  }
}
