import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { firestoreSource } from "../src/firestore.ts";

const AT = { seconds: 1_764_500_000, nanoseconds: 123_456_000 };
const realFetch = globalThis.fetch;
afterEach(() => (globalThis.fetch = realFetch));

const document = (id, fields = {}) => ({ id, data: () => ({ title: id, delivered_at: AT, created_at: AT, read_at: null, seen_at: null, archived_at: null, ...fields }) });

/** A Firestore SDK whose listener the test calls, and a subscription to it. */
async function subscribed(answer = () => ({ entries: [], counts: { unseen: 0, unread: 0 }, next: null })) {
  const log = { states: [], entries: [], path: null, listens: 0, requests: [] };
  globalThis.fetch = async (url, { headers }) => {
    log.requests.push([url, headers.Authorization]);
    return new Response(JSON.stringify(answer()));
  };
  const sdk = {
    collection: (_db, ...path) => (log.path = path.join("/")),
    query: (_collection, ...constraints) => (log.query = constraints),
    orderBy: (...field) => field,
    limit: (count) => count,
    onSnapshot: (_query, _options, next, failed) => {
      log.listens += 1;
      Object.assign(log, { next, failed });
      return () => (log.stopped = true);
    },
  };
  const source = firestoreSource({}, "ada", { url: "https://api.example/", getToken: () => "t", sdk });
  const end = source.subscribe({ limit: 3 }, { state: (state) => log.states.push(state), entries: (...given) => log.entries.push(given) });
  await new Promise(setImmediate);
  const receive = (docs, changes, fromCache = false) => log.next({ docs, metadata: { fromCache }, docChanges: () => changes });
  return { log, end, receive, source };
}

const added = (doc) => ({ type: "added", doc });

test("it listens to the newest documents of the user's inbox", async () => {
  const { log, end } = await subscribed();
  assert.equal(log.path, "users/ada/inbox");
  assert.deepEqual(log.query, [["delivered_at", "desc"], 3]);
  end();
  assert.equal(log.stopped, true);
});

test("the first documents are a snapshot, with times as text", async () => {
  const { log, end, receive } = await subscribed();
  const docs = [document("a"), document("b", { read_at: AT })];
  receive(docs, docs.map(added));
  const [[newest, changed, counts]] = log.entries;
  assert.deepEqual(newest.map(({ notification_id, delivered_at }) => [notification_id, delivered_at]), [["a", "2025-11-30T10:53:20.123456000Z"], ["b", "2025-11-30T10:53:20.123456000Z"]]);
  assert.deepEqual([changed, counts], [[], { unread: 1, unseen: 1 }]);
  assert.deepEqual(log.states, ["connecting", "live"]);
  end();
});

test("later documents are changes, counted at once and then by the API", async () => {
  const counted = { unread: 7, unseen: 5 };
  const { log, end, receive } = await subscribed(() => ({ entries: [], counts: counted, next: null }));
  receive([document("a")], [added(document("a"))]);
  receive([document("b"), document("a")], [added(document("b")), { type: "removed", doc: document("z") }]);
  const [newest, changed, counts] = log.entries[1];
  assert.deepEqual([newest, changed.map(({ notification_id }) => notification_id), counts], [null, ["b"], { unread: 2, unseen: 2 }]);
  await new Promise((resolve) => setTimeout(resolve, 900));
  assert.deepEqual(log.entries.at(-1)[2], counted);
  assert.deepEqual(log.requests, [["https://api.example/v1/inbox?tab=all&limit=3", "Bearer t"]]);
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
