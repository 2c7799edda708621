// What Google's emulator cannot show of firestoreSource. tests/e2e/test_firestore_inbox.py has the rest, over the real SDK.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { firestoreSource } from "../src/firestore.ts";

const AT = { seconds: 1_764_500_000, nanoseconds: 123_456_000 };
const realFetch = globalThis.fetch;
afterEach(() => (globalThis.fetch = realFetch));

const document = (id) => ({ id, data: () => ({ title: id, delivered_at: AT, created_at: AT, read_at: null, seen_at: null, archived_at: null }) });

/** A Firestore SDK whose listener the test calls, and a subscription to it. */
async function subscribed() {
  const log = { states: [], entries: [], listens: 0 };
  globalThis.fetch = async () => new Response(JSON.stringify({ entries: [], counts: { unseen: 0, unread: 0 }, next: null }));
  const sdk = {
    collection: () => {},
    query: () => {},
    orderBy: () => {},
    limit: () => {},
    onSnapshot: (_query, _options, next, failed) => {
      log.listens += 1;
      Object.assign(log, { next, failed });
      return () => {};
    },
  };
  const source = firestoreSource({}, "ada", { url: "https://api.example/", getToken: () => "t", sdk });
  const end = source.subscribe({ limit: 3 }, { state: (state) => log.states.push(state), entries: (...given) => log.entries.push(given) });
  await new Promise(setImmediate);
  const receive = (docs, changes, fromCache = false) => log.next({ docs, metadata: { fromCache }, docChanges: () => changes });
  return { log, end, receive };
}

const added = (doc) => ({ type: "added", doc });

test("times are text with all their decimals", async () => {
  const { log, end, receive } = await subscribed();
  receive([document("a")], [added(document("a"))]);
  assert.equal(log.entries[0][0][0].delivered_at, "2025-11-30T10:53:20.123456000Z");
  end();
});

test("a window of new documents may hide a gap, and is a snapshot", async () => {
  const { log, end, receive } = await subscribed();
  receive([document("a")], [added(document("a"))]);
  const docs = [document("d"), document("c"), document("b")];
  receive(docs, docs.map(added));
  assert.equal(log.entries[1][0].length, 3);
  end();
});

test("an empty cache is not an empty inbox", async () => {
  const { log, end, receive } = await subscribed();
  receive([], [], true);
  assert.deepEqual([log.entries, log.states.at(-1)], [[], "away"]);
  receive([], []);
  assert.deepEqual(log.entries[0].slice(0, 2), [[], []]);
  end();
});

test("a denied listener listens again, because a release of the rules may deny it for a moment", async () => {
  const { log, end } = await subscribed();
  log.failed({ code: "permission-denied" });
  assert.equal(log.states.at(-1), "away");
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  assert.equal(log.listens, 2);
  for (let times = 0; times < 3; times++) log.failed({ code: "permission-denied" });
  assert.equal(log.states.at(-1), "refused");
  end();
});
