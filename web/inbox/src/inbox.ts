import { MarkQueue } from "./queue";
import { orderKey } from "./order";
import { type Marks, Store } from "./store";
import type { Entry, InboxSource, SourceState, Tab } from "./types";

const WINDOW = 20; // what a subscription starts with
const PAGE = 50;
const MOST = 100; // that the publisher returns at once

export interface Watcher {
  changed(): void;
  arrived(entries: Entry[]): void;
  stateChanged(state: SourceState): void;
}

/** One user's inbox: connects the source, the store and the queue of marks. Knows nothing of the page. */
export class Inbox {
  readonly store = new Store();
  state: SourceState = "connecting";
  readonly #source: InboxSource;
  readonly #watcher: Watcher;
  readonly #queue: MarkQueue;
  readonly #loading = new Map<Tab, number>();
  #unsubscribe: (() => void) | null = null;
  #outdated = false;

  constructor(source: InboxSource, watcher: Watcher) {
    this.#source = source;
    this.#watcher = watcher;
    this.#queue = new MarkQueue(source, {
      storage: localStorageIfAllowed(),
      refused: (marks) => this.#undo(marks),
      allSeen: () => this.store.counts().unseen === 0,
    });
    const { read, archive, readUpTo } = this.#queue.restore();
    Object.assign(this.store.marks, { read: new Map(read), archive: new Map(archive), readUpTo });
  }

  start(): void {
    this.stop();
    this.#unsubscribe = this.#source.subscribe({ limit: WINDOW }, {
      entries: (newest, changed, counts) => {
        if (newest && this.store.snapshot(newest, counts, WINDOW)) void this.#refresh();
        const arrived = changed.length || !newest ? this.store.changes(changed, counts) : [];
        this.#watcher.changed();
        if (arrived.length) this.#watcher.arrived(arrived);
      },
      state: (state) => {
        this.state = state;
        if (state === "live") void this.#queue.flush();
        if (state === "live" && this.#outdated) void this.#refresh();
        this.#watcher.stateChanged(state);
      },
    });
    void this.#queue.flush();
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#queue.stop();
  }

  read(ids: string[]): void {
    this.#mark((at) => {
      this.store.markRead(ids, at);
      this.#queue.read(ids, at);
    });
  }

  archive(ids: string[]): void {
    this.#mark((at) => {
      this.store.archive(ids, at);
      this.#queue.archive(ids, at);
    });
  }

  readAll(): void {
    this.#mark((at) => {
      const upTo = this.store.upToNow(at);
      if (!upTo) return;
      this.store.marks.readUpTo = upTo;
      this.#queue.readUpTo(upTo);
    });
  }

  seen(): void {
    if (this.store.counts().unseen === 0) return;
    this.#mark((at) => {
      const upTo = this.store.upToNow(at);
      if (!upTo) return;
      this.store.marks.seenUpTo = upTo;
      this.#queue.seenUpTo(upTo);
    });
  }

  /** Load the next page of a tab, unless it is being loaded or there is none. Rejects when it cannot be loaded. */
  async load(tab: Tab): Promise<void> {
    const { generation } = this.store;
    const before = this.store.next(tab);
    if (before === null || this.#loading.get(tab) === generation) return;
    this.#loading.set(tab, generation);
    try {
      const page = await this.#source.page({ tab, limit: PAGE, before });
      if (generation === this.store.generation) this.store.page(tab, page);
    } finally {
      if (this.#loading.get(tab) === generation) this.#loading.delete(tab);
    }
    this.#watcher.changed();
  }

  /** Read again what is loaded of `all`: below a snapshot, any entry may have changed. A failure is made up for later. */
  async #refresh(): Promise<void> {
    this.#outdated = true;
    const { generation } = this.store;
    const known = this.store.ids();
    const newest: Entry[] = [];
    let before: string | undefined;
    try {
      do {
        const page = await this.#source.page({ tab: "all", limit: MOST, before });
        if (generation !== this.store.generation) return; // A newer snapshot has its own refresh.
        newest.push(...page.entries);
        before = page.next ?? undefined;
      } while (before !== undefined && orderKey(newest.at(-1)!) > this.store.depth);
    } catch {
      return;
    }
    this.#outdated = false;
    this.store.refresh(newest, known);
    this.#watcher.changed();
  }

  #mark(mark: (at: string) => void): void {
    mark(new Date().toISOString());
    this.#watcher.changed();
  }

  #undo({ read, archive, readUpTo, seenUpTo }: Marks): void {
    const { marks } = this.store;
    for (const id of read.keys()) marks.read.delete(id);
    for (const id of archive.keys()) marks.archive.delete(id);
    if (readUpTo && marks.readUpTo === readUpTo) marks.readUpTo = null;
    if (seenUpTo && marks.seenUpTo === seenUpTo) marks.seenUpTo = null;
    this.#watcher.changed();
  }
}

function localStorageIfAllowed(): Storage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null; // The browser blocks storage, for example in a third-party frame.
  }
}
