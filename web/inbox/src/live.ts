import { Api, type Changes, marksOf, stoppedBy } from "./api";
import { backoff } from "./backoff";
import { EventParser, type ServerEvent } from "./sse";
import { type GetToken, type InboxSource, Refused, type Subscriber } from "./types";

const SILENCE_MS = 40_000; // The server sends a beat every 15 seconds, so two in a row were lost.
const RETRY_MS = 1_000;
const SHORT_MS = 5_000; // A token that expires sooner after connecting counts as a failure, so that the next try waits.

export interface LiveOptions {
  /** Names the user, so that marks that are not sent yet survive a reload. */
  user?: string;
}

/** Entries by server-sent events from a self-hosted publisher. `url` is the publisher's address; "" is this page's own. */
export function liveSource(url: string, getToken: GetToken, options: LiveOptions = {}): InboxSource {
  const api = new Api(url, getToken);
  return {
    user: options.user,
    subscribe: (_options, on) => {
      const stream = new Stream(api, on);
      void stream.run();
      return () => stream.end();
    },
    page: ({ tab, limit, before }) => api.page(tab, limit, before),
    ...marksOf(api),
  };
}

/** One subscription: connects, resumes after the last event that it received, and reconnects until it is ended. */
class Stream {
  readonly #api: Api;
  readonly #on: Subscriber;
  #ended = false;
  #connection = new AbortController();
  #wake = () => {};
  #lastId: string | null = null;
  #retryMs = RETRY_MS;
  #failures = 0;

  constructor(api: Api, on: Subscriber) {
    this.#api = api;
    this.#on = on;
  }

  async run(): Promise<void> {
    addEventListener("online", this.#online);
    addEventListener("offline", this.#offline);
    document.addEventListener("visibilitychange", this.#visible);
    this.#on.state("connecting");
    while (!this.#ended) {
      const startedAt = performance.now();
      try {
        const expired = await this.#connect();
        if (expired) this.#api.renew();
        if (expired && performance.now() - startedAt > SHORT_MS) continue;
      } catch (error) {
        if (this.#ended) return;
        if (error instanceof Refused) {
          this.end();
          this.#on.state(stoppedBy(error));
          return;
        }
      }
      if (this.#ended) return;
      this.#on.state("away");
      await this.#pause(backoff(this.#failures++, this.#retryMs));
    }
  }

  end(): void {
    this.#ended = true;
    removeEventListener("online", this.#online);
    removeEventListener("offline", this.#offline);
    document.removeEventListener("visibilitychange", this.#visible);
    this.#connection.abort();
    this.#wake();
  }

  /** Read one connection to its end. Returns whether it ended because the token expired. */
  async #connect(): Promise<boolean> {
    const connection = (this.#connection = new AbortController());
    let silence = setTimeout(() => connection.abort(), SILENCE_MS);
    try {
      const resume: Record<string, string> = this.#lastId === null ? {} : { "Last-Event-ID": this.#lastId };
      const headers = { Accept: "text/event-stream", ...resume };
      const response = await this.#api.send("/v1/inbox/live", { headers, signal: connection.signal });
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      const parser = new EventParser();
      this.#on.state("live");
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        clearTimeout(silence);
        silence = setTimeout(() => connection.abort(), SILENCE_MS);
        this.#failures = 0;
        for (const event of parser.feed(read.value)) {
          if (event.event === "expired") return true;
          if (!this.#ended) this.#receive(event);
        }
      }
      return false;
    } finally {
      clearTimeout(silence);
      connection.abort();
    }
  }

  #receive({ event, data, id, retry }: ServerEvent): void {
    if (retry !== null) this.#retryMs = retry;
    if (event !== "snapshot" && event !== "changes") return;
    const { entries, counts } = JSON.parse(data) as Changes;
    this.#on.entries(event === "snapshot" ? entries : null, event === "snapshot" ? [] : entries, counts);
    if (id !== null) this.#lastId = id; // Only after the entries were merged: a failure before that receives them again.
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #online = () => {
    this.#failures = 0;
    this.#wake();
  };

  #visible = () => {
    if (document.visibilityState === "visible") this.#wake();
  };

  #offline = () => this.#connection.abort();
}
