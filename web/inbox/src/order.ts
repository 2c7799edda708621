import type { Entry } from "./types";

/**
 * A text that sorts like (delivered_at, notification_id). Servers write a varying number of decimals ("…:05Z", "…:05.12Z"),
 * and Date knows milliseconds only, so the decimals are compared as text of one length.
 */
export function orderKey(entry: Entry): string {
  let key = keys.get(entry);
  if (key === undefined) keys.set(entry, (key = computed(entry)));
  return key;
}

const keys = new WeakMap<Entry, string>();

function computed({ delivered_at, notification_id }: Entry): string {
  const seconds = String(Math.floor(Date.parse(delivered_at) / 1000)).padStart(12, "0");
  const decimals = (/\.(\d+)/.exec(delivered_at)?.[1] ?? "").padEnd(9, "0");
  return `${seconds}.${decimals} ${notification_id}`;
}

export const newestFirst = (one: Entry, other: Entry): number => (orderKey(one) < orderKey(other) ? 1 : -1);
