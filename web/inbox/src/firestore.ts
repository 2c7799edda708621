import { Api, marksOf, stoppedBy } from "./api";
import { backoff } from "./backoff";
import { type Counts, type Entry, type GetToken, type InboxSource, Refused, type Subscriber } from "./types";

const COUNT_AFTER_MS = 800; // One request counts what arrives in a burst.
const RETRY_MS = 1_000;
const DENIALS = 4; // A release of the security rules may deny listeners for about a second.

/** The functions of "firebase/firestore" that this source uses. */
export interface FirestoreSdk {
  collection(db: never, path: string, ...segments: string[]): unknown;
  query(collection: never, ...constraints: never[]): unknown;
  orderBy(field: string, direction: "desc"): unknown;
  limit(count: number): unknown;
  onSnapshot(query: never, options: { includeMetadataChanges: true }, next: (snapshot: never) => void, failed: (error: never) => void): () => void;
}

export interface FirestoreOptions {
  /** The publisher's address: pages, counts and marks go through its API. */
  url: string;
  /** Returns the user's inbox token for that API. Firestore itself uses the user who is signed in to Firebase. */
  getToken: GetToken;
  /** "firebase/firestore", for pages without a bundler. Without it the module is imported when it is needed. */
  sdk?: FirestoreSdk;
}

interface Snapshot {
  docs: { id: string; data(): Record<string, unknown> }[];
  metadata: { fromCache: boolean };
  docChanges(): { type: "added" | "modified" | "removed"; doc: Snapshot["docs"][number] }[];
}

/** Entries from Firestore's `users/{uid}/inbox`, which the browser listens to directly. */
export function firestoreSource(db: unknown, uid: string, { url, getToken, sdk }: FirestoreOptions): InboxSource {
  const api = new Api(url, getToken);
  return {
    user: uid,
    subscribe: ({ limit }, on) => {
      const listener = new Listener(api, on, limit);
      void listener.run(sdk, db, uid);
      return () => listener.end();
    },
    page: ({ tab, limit, before }) => api.page(tab, limit, before),
    ...marksOf(api),
  };
}

class Listener {
  readonly #api: Api;
  readonly #on: Subscriber;
  readonly #limit: number;
  #stop = () => {};
  #ended = false;
  #denials = 0;
  #filled = false;
  #counts: Counts = { unseen: 0, unread: 0 };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(api: Api, on: Subscriber, limit: number) {
    this.#api = api;
    this.#on = on;
    this.#limit = limit;
  }

  async run(given: FirestoreSdk | undefined, db: unknown, uid: string): Promise<void> {
    this.#on.state("connecting");
    const sdk = given ?? ((await import("firebase/firestore")) as FirestoreSdk);
    const inbox = sdk.collection(db as never, "users", uid, "inbox");
    const newest = sdk.query(inbox as never, sdk.orderBy("delivered_at", "desc") as never, sdk.limit(this.#limit) as never);
    const listen = () => {
      if (this.#ended) return;
      this.#stop = sdk.onSnapshot(newest as never, { includeMetadataChanges: true }, (snapshot) => this.#receive(snapshot), (error) => this.#failed(error, listen));
    };
    listen();
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#again);
    this.#stop();
  }

  #receive(snapshot: Snapshot): void {
    const { docs, metadata } = snapshot;
    const cached = metadata.fromCache;
    this.#on.state(cached ? "away" : "live");
    if (!cached) this.#denials = 0;
    if (cached && docs.length === 0) return; // Nothing is cached yet, which is not an empty inbox.
    const changed = snapshot.docChanges().filter(({ type }) => type !== "removed");
    const added = changed.filter(({ type }) => type === "added");
    // A whole window of new entries may leave a gap to what was known.
    if (!this.#filled || added.length >= this.#limit) {
      this.#filled = true;
      const entries = docs.map((doc) => asEntry(doc.id, doc.data()));
      const unread = entries.filter(isUnread);
      this.#counts = { unread: unread.length, unseen: unread.filter(({ seen_at }) => seen_at === null).length };
      this.#on.entries(entries, [], this.#counts);
    } else if (changed.length) {
      const entries = changed.map(({ doc }) => asEntry(doc.id, doc.data()));
      const arrived = added.map(({ doc }) => asEntry(doc.id, doc.data())).filter(isUnread).length;
      this.#counts = { unread: this.#counts.unread + arrived, unseen: this.#counts.unseen + arrived };
      this.#on.entries(null, entries, this.#counts);
    } else return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#count(), COUNT_AFTER_MS);
  }

  /** Firestore does not count for free, so the API does. Until then the counts are what was known plus what arrived. */
  async #count(): Promise<void> {
    try {
      const { entries, counts } = await this.#api.page("all", this.#limit);
      if (this.#ended) return;
      this.#counts = counts;
      this.#on.entries(null, entries, counts);
    } catch (error) {
      if (this.#ended || !(error instanceof Refused)) return;
      this.end();
      this.#on.state(stoppedBy(error));
    }
  }

  #failed({ code }: { code?: string }, listen: () => void): void {
    this.#stop();
    if (this.#ended) return;
    const denied = code === "permission-denied" || code === "unauthenticated";
    this.#denials += denied ? 1 : 0;
    if (this.#denials >= DENIALS) {
      this.#on.state("refused");
      return;
    }
    this.#on.state("away");
    this.#again = setTimeout(listen, backoff(this.#denials, RETRY_MS));
  }
}

const isUnread = (entry: Entry) => entry.read_at === null && entry.archived_at === null;

/** A document as an entry: times are Firestore timestamps there, and documents of older releases lack newer fields. */
function asEntry(id: string, fields: Record<string, unknown>): Entry {
  const times = ["created_at", "delivered_at", "seen_at", "read_at", "archived_at"];
  const read = Object.fromEntries(times.map((name) => [name, asIso(fields[name])]));
  return { ...fields, notification_id: id, ...read } as unknown as Entry;
}

function asIso(value: unknown): string | null {
  if (!value || typeof value !== "object" || !("seconds" in value) || !("nanoseconds" in value)) return null;
  const whole = new Date(Number(value.seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}.${String(value.nanoseconds).padStart(9, "0")}Z`;
}
