import { type Counts, type Entry, type GetToken, type Page, Refused, type SourceState, type Tab, type Unaccepted } from "./types";

const TIMEOUT_MS = 20_000;
const REPEATABLE = [408, 425, 429];
const ORIGIN_REFUSED = "urn:heliograph:problem:origin_refused";

export interface CountedPage extends Page {
  counts: Counts;
}

/** The publisher's inbox routes, with the user's token in a header. */
export class Api {
  readonly #url: string;
  readonly #getToken: GetToken;
  #token: Promise<string> | null = null;

  constructor(url: string, getToken: GetToken) {
    this.#url = url.replace(/\/+$/, "");
    this.#getToken = getToken;
  }

  /** Send a request. After a 401 it is sent once more with a new token. Throws `Refused` for an error that will not go away. */
  async send(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
    const token = (this.#token ??= this.#ask(false));
    let response = await this.#once(path, init, token);
    if (response.status === 401) {
      if (this.#token === token) this.renew(); // Several requests may fail at once: the first one renews the token for all.
      response = await this.#once(path, init, (this.#token ??= this.#ask(true)));
    }
    if (response.ok) return response;
    const problem = `${response.status} from ${path}`;
    if (response.status < 500 && !REPEATABLE.includes(response.status)) throw new Refused(problem, await unaccepted(response));
    throw new Error(problem);
  }

  /** Forget the token, so that the next request asks for a new one. */
  renew(): void {
    this.#token = this.#ask(true);
  }

  async page(tab: Tab, limit: number, before?: string): Promise<CountedPage> {
    const query = new URLSearchParams({ tab, limit: String(limit), ...(before === undefined ? {} : { before }) });
    const response = await this.send(`/v1/inbox?${query}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return (await response.json()) as CountedPage;
  }

  async mark(action: "read" | "read_all" | "seen" | "archive", ids?: string[]): Promise<void> {
    // keepalive: a mark is sent even though the click on a link leaves the page.
    const init: RequestInit = { method: "POST", keepalive: true, signal: AbortSignal.timeout(TIMEOUT_MS) };
    const json = { headers: { "Content-Type": "application/json" }, body: JSON.stringify({ notification_ids: ids }) };
    await this.send(`/v1/inbox/${action}`, ids ? { ...init, ...json } : { ...init, headers: {} });
  }

  /** Ask the app for a token. One that it could not give is asked for again by the next request. */
  #ask(renew: boolean): Promise<string> {
    const token = Promise.resolve()
      .then(() => this.#getToken({ renew }))
      .catch((error: unknown) => {
        if (this.#token === token) this.#token = null;
        throw error instanceof Refused ? new Refused(error.message, "session") : error;
      });
    return token;
  }

  async #once(path: string, init: RequestInit & { headers?: Record<string, string> }, token: Promise<string>): Promise<Response> {
    const headers = { ...init.headers, Authorization: `Bearer ${await token}` };
    return fetch(this.#url + path, { ...init, headers, cache: "no-store", credentials: "omit" });
  }
}

async function unaccepted(response: Response): Promise<Unaccepted> {
  if (response.status === 401) return "session";
  if (response.status !== 403) return "request";
  const problem = (await response.json().catch(() => null)) as { type?: string } | null; // A proxy's 403 is no problem+json.
  return problem?.type === ORIGIN_REFUSED ? "origin" : "request";
}

/** The state of a source that a refusal stopped. Writes what a developer must do to the console. */
export function stoppedBy(refusal: Refused): SourceState {
  const origin = refusal.unaccepted === "origin";
  const todo = origin ? `Add ${location.origin} to INBOX_ORIGINS of the publisher.` : "";
  console.error(`heliograph-inbox: the publisher refused the inbox. ${todo}`, refusal);
  return origin ? "origin_refused" : "refused";
}

/** The four marks of an `InboxSource`, which both sources send to the API. */
export const marksOf = (api: Api) => ({
  markRead: (ids: string[]) => api.mark("read", ids),
  markAllRead: () => api.mark("read_all"),
  markSeen: () => api.mark("seen"),
  archive: (ids: string[]) => api.mark("archive", ids),
});

export interface Changes {
  entries: Entry[];
  counts: Counts;
}
