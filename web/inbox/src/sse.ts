export interface ServerEvent {
  event: string;
  data: string;
  id: string | null;
  retry: number | null;
}

/** Splits a text/event-stream into events. Feed it text as it arrives; an event is complete at its empty line. */
export class EventParser {
  #rest = "";
  #event = "";
  #data: string[] = [];
  #id: string | null = null;
  #retry: number | null = null;

  feed(text: string): ServerEvent[] {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line.replace(/\r$/, "")) ?? []);
  }

  #line(line: string): ServerEvent | null {
    if (line === "") return this.#complete();
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#event = value;
    if (name === "data") this.#data.push(value);
    if (name === "id") this.#id = value;
    if (name === "retry" && /^\d+$/.test(value)) this.#retry = Number(value);
    return null; // A line that starts with a colon is a comment: the server's beat.
  }

  #complete(): ServerEvent | null {
    const complete = { event: this.#event || "message", data: this.#data.join("\n"), id: this.#id, retry: this.#retry };
    const empty = this.#event === "" && this.#data.length === 0 && this.#retry === null;
    this.#event = "";
    this.#data = [];
    this.#id = this.#retry = null;
    return empty ? null : complete;
  }
}
