const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "now", "5 min. ago", "yesterday"; after a week the date. A time in the future, by a wrong clock, is now. */
export function relativeTime(iso: string, lang: string, now: number): string {
  const then = Date.parse(iso);
  const seconds = Math.max(0, (now - then) / 1000);
  const { relative, thisYear, otherYear } = formats(lang);
  if (seconds < MINUTE) return relative.format(0, "second");
  if (seconds < HOUR) return relative.format(-Math.floor(seconds / MINUTE), "minute");
  if (seconds < DAY) return relative.format(-Math.floor(seconds / HOUR), "hour");
  if (seconds < 7 * DAY) return relative.format(-Math.floor(seconds / DAY), "day");
  return (new Date(then).getFullYear() === new Date(now).getFullYear() ? thisYear : otherYear).format(then);
}

export const fullTime = (iso: string, lang: string): string => formats(lang).full.format(Date.parse(iso));

interface Formats {
  relative: Intl.RelativeTimeFormat;
  thisYear: Intl.DateTimeFormat;
  otherYear: Intl.DateTimeFormat;
  full: Intl.DateTimeFormat;
}

const known = new Map<string, Formats>();

/** Creating a format takes longer than using it a hundred times, so those of a language are kept. */
function formats(lang: string): Formats {
  const found = known.get(lang) ?? {
    relative: new Intl.RelativeTimeFormat(lang, { numeric: "auto", style: "short" }),
    thisYear: new Intl.DateTimeFormat(lang, { day: "numeric", month: "short" }),
    otherYear: new Intl.DateTimeFormat(lang, { day: "numeric", month: "short", year: "numeric" }),
    full: new Intl.DateTimeFormat(lang, { dateStyle: "full", timeStyle: "short" }),
  };
  known.set(lang, found);
  return found;
}
