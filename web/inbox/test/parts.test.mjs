import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff } from "../src/backoff.ts";
import { safeHref } from "../src/link.ts";
import { english, say } from "../src/messages.ts";
import arabic from "../src/messages/ar.ts";
import german from "../src/messages/de.ts";
import { relativeTime } from "../src/relative-time.ts";
import { EventParser } from "../src/sse.ts";

const OWN = "https://shop.example";

test("web pages and paths of this page's origin are links", () => {
  for (const url of ["/orders/7?x=1#y", "/", "/a//b", "/a:b"]) assert.equal(safeHref(url, OWN), url);
  for (const url of ["https://other.example/x", "HTTP://other.example/"]) assert.equal(safeHref(url, OWN), new URL(url).href);
});

test("everything else is not a link", () => {
  const bad = ["javascript:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "//evil.example", "/\\evil.example",
    "/\t/evil.example", "\\\\evil.example", "https:evil.example", "https:\\\\evil.example", "https://", "orders/7", "#x", "mailto:a@b.example", "blob:https://a/b", "", null];
  assert.deepEqual(bad.filter((url) => safeHref(url, OWN) !== null), []);
  assert.equal(safeHref("/x", "null"), null); // a page without an origin, such as a sandboxed frame
});

test("an event that arrives in pieces is complete at its empty line", () => {
  const parser = new EventParser();
  assert.deepEqual(parser.feed(": beat\n\nretry: 500\n\nevent: snap"), [{ event: "message", data: "", id: null, retry: 500 }]);
  assert.deepEqual(parser.feed("shot\r\nid: 7\r\ndata: {\r\ndata: }\r\n"), []);
  assert.deepEqual(parser.feed("\r\n"), [{ event: "snapshot", data: "{\n}", id: "7", retry: null }]);
});

test("the delay doubles up to a limit, and is spread", () => {
  assert.deepEqual([0, 1, 2, 20].map((failures) => backoff(failures, 1000, () => 1)), [1000, 2000, 4000, 30000]);
  assert.equal(backoff(2, 1000, () => 0), 2000);
});

test("times are relative for a week, in the reader's language", () => {
  const now = Date.UTC(2026, 10, 30, 12);
  const ago = (seconds, lang = "en") => relativeTime(new Date(now - seconds * 1000).toISOString(), lang, now);
  assert.deepEqual([-5, 59, 60, 3600, 86400].map((seconds) => ago(seconds)), ["now", "now", "1 min. ago", "1 hr. ago", "yesterday"]);
  assert.equal(ago(10 * 86400), "Nov 20");
  assert.equal(ago(400 * 86400), "Oct 26, 2025");
  assert.equal(ago(3600, "de"), "vor 1 Std.");
});

test("every language has every text, with the same placeholders", () => {
  const placeholders = (message) => [...JSON.stringify(message).matchAll(/\{\w+\}/g)].map(String).filter((name) => name === "{title}").length > 0;
  for (const messages of [german, arabic]) {
    assert.deepEqual(Object.keys(messages).sort(), Object.keys(english).sort());
    for (const name of Object.keys(english)) assert.equal(placeholders(messages[name]), placeholders(english[name]), `${messages.lang} ${name}`);
  }
});

test("numbers choose the plural form of the language", () => {
  assert.equal(say(english, "arrivedMany", { n: 1 }), "1 new notification");
  assert.equal(say(german, "arrivedMany", { n: 3 }), "3 neue Mitteilungen");
  assert.equal(say(arabic, "arrivedMany", { n: 2 }), "إشعاران جديدان");
});
