const CAP_MS = 30_000;

/** Milliseconds to wait before the next try: between half of and the whole doubled delay, so that clients do not return together. */
export function backoff(failures: number, baseMs: number, random: () => number = Math.random): number {
  const delay = Math.min(CAP_MS, baseMs * 2 ** Math.min(failures, 10));
  return delay / 2 + random() * (delay / 2);
}
