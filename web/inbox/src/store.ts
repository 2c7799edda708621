import { newestFirst, orderKey } from "./order";
import type { Counts, Entry, Page, Tab } from "./types";

/** Everything up to an entry was read or seen. `key` is that entry's order key. */
export interface UpTo {
  key: string;
  at: string;
}

/** Marks that the user made and that no entry from the server shows yet. The ids point to the time of the mark. */
export interface Marks {
  read: Map<string, string>;
  archive: Map<string, string>;
  readUpTo: UpTo | null;
  seenUpTo: UpTo | null;
}

/** How far a tab is loaded without a gap: down to `horizon`. `next` is undefined before the first page, null after the last. */
interface Loaded {
  horizon: string;
  next: string | null | undefined;
}

const nothingLoaded = (): Loaded => ({ horizon: "", next: undefined });

export const noMarks = (): Marks => ({ read: new Map(), archive: new Map(), readUpTo: null, seenUpTo: null });

const isUnread = (entry: Entry) => entry.read_at === null && entry.archived_at === null;
const isUnseen = (entry: Entry) => isUnread(entry) && entry.seen_at === null;

const IN_TAB: Record<Tab, (entry: Entry) => boolean> = {
  all: (entry) => entry.archived_at === null,
  unread: isUnread,
  archived: (entry) => entry.archived_at !== null,
};

/**
 * What is known of one inbox: the server's entries, with the user's own marks on top.
 *
 * States are set once, so merging keeps whatever is set. An older snapshot therefore never undoes a mark. Does no I/O.
 */
export class Store {
  readonly marks: Marks = noMarks();
  /** Changes when a snapshot replaced everything: a page that was requested before does not fit any more. */
  generation = 0;
  /** Whether anything was received. */
  filled = false;
  #entries = new Map<string, Entry>();
  #counts: Counts = { unseen: 0, unread: 0 };
  #loaded: Record<Tab, Loaded> = { all: nothingLoaded(), unread: nothingLoaded(), archived: nothingLoaded() };

  /**
   * Take over the newest entries that are not archived. Fewer than `limit` of them are all that there are.
   *
   * What is known below them is kept if no gap is between, so that nothing moves that the user reads: returns true, and
   * `refresh` must bring these entries up to date.
   */
  snapshot(newest: Entry[], counts: Counts, limit: number): boolean {
    const known = this.#entries;
    const oldest = newest.length < limit ? undefined : known.get(newest.at(-1)!.notification_id);
    const joins = oldest !== undefined && orderKey(oldest) > this.depth;
    if (!joins) this.#entries = new Map();
    for (const entry of newest) this.#merge(entry, known.get(entry.notification_id));
    if (!joins) this.#loaded.all = newest.length < limit ? { horizon: "", next: null } : { horizon: this.#oldestKey(newest), next: undefined };
    this.#loaded = { all: this.#loaded.all, unread: nothingLoaded(), archived: nothingLoaded() };
    this.#counts = counts;
    this.filled = true;
    this.generation += 1;
    this.#forgetConfirmedMarks();
    return joins;
  }

  /** The order key down to which `all` is loaded without a gap. */
  get depth(): string {
    return this.#loaded.all.horizon;
  }

  /** The ids of all entries that are known. */
  ids(): Set<string> {
    return new Set(this.#entries.keys());
  }

  /** Take over the newest entries, read again. Those of `known` that they lack are archived or deleted by now. */
  refresh(newest: Entry[], known: Set<string>): void {
    for (const entry of newest) {
      this.#merge(entry);
      known.delete(entry.notification_id);
    }
    const oldest = this.#oldestKey(newest);
    for (const id of known) {
      const entry = this.#entries.get(id);
      if (entry?.archived_at === null && orderKey(entry) >= oldest) this.#entries.delete(id);
    }
    this.#forgetConfirmedMarks();
  }

  /** Merge entries that changed. Returns those that are new and that the user has not seen, the newest first. */
  changes(changed: Entry[], counts: Counts): Entry[] {
    const arrived = changed.filter((entry) => !this.#entries.has(entry.notification_id) && isUnseen(this.#marked(entry)));
    for (const entry of changed) this.#merge(entry);
    this.#counts = counts;
    this.#forgetConfirmedMarks();
    return arrived.sort(newestFirst);
  }

  page(tab: Tab, { entries, next }: Page): void {
    for (const entry of entries) this.#merge(entry);
    this.#loaded[tab] = { next, horizon: next === null ? "" : this.#oldestKey(entries) };
  }

  /** The entries of a tab, the newest first, as far as they are loaded without a gap. */
  list(tab: Tab): Entry[] {
    const horizon = this.#horizon(tab);
    const listed = [...this.#entries.values()].map((entry) => this.#marked(entry)).filter(IN_TAB[tab]);
    return listed.filter((entry) => orderKey(entry) >= horizon).sort(newestFirst);
  }

  /** The cursor of the next page; undefined asks for the first one; null: there is none. */
  next(tab: Tab): string | null | undefined {
    return tab === "unread" && this.#loaded.all.next === null ? null : this.#loaded[tab].next;
  }

  /** The server's counts, without what the user marked since. */
  counts(): Counts {
    return { unread: this.#count("unread", isUnread, this.marks.readUpTo), unseen: this.#count("unseen", isUnseen, this.#seenUpTo()) };
  }

  markRead(ids: string[], at: string): void {
    for (const id of ids) this.marks.read.set(id, at);
  }

  archive(ids: string[], at: string): void {
    for (const id of ids) this.marks.archive.set(id, at);
  }

  /** The mark for everything that is known now, or null for an empty inbox. */
  upToNow(at: string): UpTo | null {
    const newest = [...this.#entries.values()].sort(newestFirst)[0];
    return newest ? { key: orderKey(newest), at } : null;
  }

  /** Read implies seen. */
  #seenUpTo(): UpTo | null {
    const { readUpTo, seenUpTo } = this.marks;
    return readUpTo && seenUpTo ? (readUpTo.key > seenUpTo.key ? readUpTo : seenUpTo) : (readUpTo ?? seenUpTo);
  }

  #count(name: keyof Counts, counted: (entry: Entry) => boolean, upTo: UpTo | null): number {
    const entries = [...this.#entries.values()];
    if (upTo) return entries.filter((entry) => orderKey(entry) > upTo.key && counted(this.#marked(entry))).length;
    const marked = entries.filter((entry) => counted(entry) && !counted(this.#marked(entry)));
    return Math.max(0, this.#counts[name] - marked.length);
  }

  #marked(entry: Entry): Entry {
    const { read, archive, readUpTo } = this.marks;
    const seenUpTo = this.#seenUpTo();
    const id = entry.notification_id;
    const key = readUpTo || seenUpTo ? orderKey(entry) : "";
    const read_at = entry.read_at ?? read.get(id) ?? (readUpTo && key <= readUpTo.key ? readUpTo.at : null);
    const archived_at = entry.archived_at ?? archive.get(id) ?? null;
    const seen_at = entry.seen_at ?? (seenUpTo && key <= seenUpTo.key ? seenUpTo.at : null);
    if (seen_at === entry.seen_at && read_at === entry.read_at && archived_at === entry.archived_at) return entry;
    return { ...entry, seen_at: seen_at ?? read_at ?? archived_at, read_at, archived_at };
  }

  /** Every unread entry is also in `all`, so `unread` is loaded as far as the one of both that is loaded further. */
  #horizon(tab: Tab): string {
    const { all, [tab]: own } = this.#loaded;
    if (tab !== "unread") return own.horizon;
    return own.next === undefined || all.horizon < own.horizon ? all.horizon : own.horizon;
  }

  #oldestKey(entries: Entry[]): string {
    const keys = entries.map(({ notification_id }) => orderKey(this.#entries.get(notification_id)!));
    return keys.sort()[0] ?? "";
  }

  #merge(entry: Entry, known = this.#entries.get(entry.notification_id)): void {
    this.#entries.set(entry.notification_id, {
      ...entry,
      // Firestore and the API may know times that differ a little. A row must not jump because of that.
      delivered_at: known?.delivered_at ?? entry.delivered_at,
      seen_at: entry.seen_at ?? known?.seen_at ?? null,
      read_at: entry.read_at ?? known?.read_at ?? null,
      archived_at: entry.archived_at ?? known?.archived_at ?? null,
    });
  }

  /** The server's counts contain a mark as soon as its entries show it. From then on the mark must not be counted twice. */
  #forgetConfirmedMarks(): void {
    const { read, archive } = this.marks;
    for (const entry of this.#entries.values()) {
      if (entry.read_at !== null) read.delete(entry.notification_id);
      if (entry.archived_at !== null) archive.delete(entry.notification_id);
    }
    const confirmed = (upTo: UpTo | null, open: (entry: Entry) => boolean) =>
      upTo !== null && ![...this.#entries.values()].some((entry) => orderKey(entry) <= upTo.key && open(entry));
    if (confirmed(this.marks.readUpTo, isUnread)) this.marks.readUpTo = null;
    if (confirmed(this.marks.seenUpTo, isUnseen)) this.marks.seenUpTo = null;
  }
}
