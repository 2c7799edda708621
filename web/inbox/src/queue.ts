import { backoff } from "./backoff";
import { orderKey } from "./order";
import { noMarks, type Marks, type UpTo } from "./store";
import { type InboxSource, Refused } from "./types";

const RETRY_MS = 2_000;
const BATCH = 100;

type Kept = { read: [string, string][]; archive: [string, string][]; readUpTo: UpTo | null };

export interface QueueOptions {
  storage: Pick<Storage, "getItem" | "setItem" | "removeItem"> | null;
  /** The server refused these marks for good: what was shown in advance must be undone. */
  refused(marks: Marks): void;
  /** Whether everything that was delivered has been seen, so that marking all as seen late marks nothing too much. */
  allSeen(): boolean;
}

/** Marks that are not sent yet. Sends them in order, keeps them over failures, and over a reload if there is a storage. */
export class MarkQueue {
  readonly #source: InboxSource;
  readonly #options: QueueOptions;
  readonly #key: string;
  #pending = noMarks();
  #sending = false;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(source: InboxSource, options: QueueOptions) {
    this.#source = source;
    this.#options = options;
    this.#key = `heliograph-inbox:${source.user}`;
  }

  /** Read what an earlier page could not send. */
  restore(): Marks {
    try {
      const kept = JSON.parse(this.#storage?.getItem(this.#key) ?? "null") as Kept | null;
      if (kept) this.#pending = { ...noMarks(), read: new Map(kept.read), archive: new Map(kept.archive), readUpTo: kept.readUpTo };
    } catch {
      // The storage is blocked, or holds something else. Marks are then kept in memory only.
    }
    return this.#pending;
  }

  read(ids: string[], at: string): void {
    for (const id of ids) this.#pending.read.set(id, at);
    this.#changed();
  }

  archive(ids: string[], at: string): void {
    for (const id of ids) this.#pending.archive.set(id, at);
    this.#changed();
  }

  readUpTo(upTo: UpTo): void {
    this.#pending.readUpTo = upTo;
    this.#changed();
  }

  seenUpTo(upTo: UpTo): void {
    this.#pending.seenUpTo = upTo;
    this.#changed();
  }

  /** Send now what is pending, for example because the connection is back. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#sending) return;
    this.#sending = true;
    try {
      while (await this.#sendOne()) this.#failures = 0;
    } catch {
      this.#failures += 1;
      this.#timer = setTimeout(() => void this.flush(), backoff(this.#failures - 1, RETRY_MS));
    } finally {
      this.#sending = false;
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  get #storage() {
    return this.#source.user === undefined ? null : this.#options.storage;
  }

  #changed(): void {
    this.#keep();
    if (this.#failures === 0) void this.flush();
  }

  /** Send one batch. Returns whether there was one. Throws when it must be sent again. */
  async #sendOne(): Promise<boolean> {
    const { read, archive, readUpTo, seenUpTo } = this.#pending;
    if (read.size) await this.#sendIds("read", [...read].slice(0, BATCH));
    else if (archive.size) await this.#sendIds("archive", [...archive].slice(0, BATCH));
    else if (readUpTo) {
      await this.#unlessRefused({ ...noMarks(), readUpTo }, () => this.#readUpTo(readUpTo));
      if (this.#pending.readUpTo === readUpTo) this.#pending.readUpTo = null;
    } else if (seenUpTo) {
      await this.#unlessRefused({ ...noMarks(), seenUpTo }, () => this.#seen());
      if (this.#pending.seenUpTo === seenUpTo) this.#pending.seenUpTo = null;
    } else return false;
    this.#keep();
    return true;
  }

  async #sendIds(kind: "read" | "archive", batch: [string, string][]): Promise<void> {
    const ids = batch.map(([id]) => id);
    const send = () => (kind === "read" ? this.#source.markRead(ids) : this.#source.archive(ids));
    await this.#unlessRefused({ ...noMarks(), [kind]: new Map(batch) }, send);
    for (const id of ids) this.#pending[kind].delete(id);
  }

  /** The server marks what was delivered when it receives the request. A late request names the entries instead. */
  async #readUpTo(upTo: UpTo): Promise<void> {
    if (this.#failures === 0 && Date.now() - Date.parse(upTo.at) < RETRY_MS) return this.#source.markAllRead();
    let before: string | undefined;
    do {
      const page = await this.#source.page({ tab: "unread", limit: BATCH, before });
      const ids = page.entries.filter((entry) => orderKey(entry) <= upTo.key).map((entry) => entry.notification_id);
      if (ids.length) await this.#source.markRead(ids);
      before = page.next ?? undefined;
    } while (before !== undefined);
  }

  async #seen(): Promise<void> {
    if (!this.#options.allSeen()) throw new Refused("Entries that arrived later are not seen.");
    await this.#source.markSeen();
  }

  async #unlessRefused(marks: Marks, send: () => Promise<void>): Promise<void> {
    try {
      await send();
    } catch (error) {
      if (!(error instanceof Refused) || error.unaccepted !== "request") throw error;
      this.#options.refused(marks);
    }
  }

  #keep(): void {
    const { read, archive, readUpTo } = this.#pending;
    try {
      if (!read.size && !archive.size && !readUpTo) this.#storage?.removeItem(this.#key);
      else this.#storage?.setItem(this.#key, JSON.stringify({ read: [...read], archive: [...archive], readUpTo } satisfies Kept));
    } catch {
      // The storage is full or blocked. The marks stay in memory.
    }
  }
}
