import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../src/store.ts";

const AT = "2026-11-30T12:00:00Z";

/** An entry that was delivered `n` seconds after midnight. */
function entry(n, marks = {}) {
  const at = new Date(Date.UTC(2026, 10, 30) + n * 1000).toISOString();
  return { notification_id: `n${n}`, title: `T${n}`, delivered_at: at, seen_at: null, read_at: null, archived_at: null, ...marks };
}

const ids = (store, tab) => store.list(tab).map(({ notification_id }) => notification_id);
const of = (unseen, unread = unseen) => ({ unseen, unread });

function filled(...entries) {
  const store = new Store();
  const unread = entries.filter(({ read_at, archived_at }) => !read_at && !archived_at);
  store.snapshot(entries, of(unread.filter(({ seen_at }) => !seen_at).length, unread.length), 20);
  return store;
}

test("entries are listed newest first, whatever order they arrive in", () => {
  const store = filled(entry(1), entry(3));
  store.changes([entry(2)], of(3));
  assert.deepEqual(ids(store, "all"), ["n3", "n2", "n1"]);
});

test("entries of the same time are ordered by id, and decimals of different length are compared as numbers", () => {
  const at = (id, delivered_at) => ({ ...entry(0), notification_id: id, delivered_at });
  const store = filled(at("b", "2026-11-30T00:00:05Z"), at("a", "2026-11-30T00:00:05Z"), at("c", "2026-11-30T00:00:05.1Z"), at("d", "2026-11-30T00:00:05.000001+00:00"));
  assert.deepEqual(ids(store, "all"), ["c", "d", "b", "a"]);
});

test("tabs contain what their names say", () => {
  const store = filled(entry(1, { read_at: AT }), entry(2), entry(3, { archived_at: AT }));
  assert.deepEqual(["all", "unread", "archived"].map((tab) => ids(store, tab)), [["n2", "n1"], ["n2"], ["n3"]]);
});

test("a mark shows at once, in the entry and in the counts", () => {
  const store = filled(entry(1), entry(2));
  store.markRead(["n1"], AT);
  assert.deepEqual(store.counts(), of(1));
  assert.equal(store.list("all")[1].read_at, AT);
  store.archive(["n2"], AT);
  assert.deepEqual(store.counts(), of(0));
  assert.deepEqual(ids(store, "archived"), ["n2"]);
});

test("an older snapshot undoes neither a mark nor what the server confirmed", () => {
  const store = filled(entry(1), entry(2));
  store.markRead(["n1"], AT);
  store.changes([entry(2, { read_at: AT, seen_at: AT })], of(1));
  store.snapshot([entry(1), entry(2)], of(1), 20);
  assert.deepEqual(ids(store, "unread"), []);
  assert.deepEqual(store.counts(), of(0));
});

test("a confirmed mark is not subtracted from the server's counts a second time", () => {
  const store = filled(entry(1), entry(2), entry(3));
  store.markRead(["n1"], AT);
  store.changes([entry(1, { read_at: AT, seen_at: AT })], of(2));
  assert.deepEqual(store.counts(), of(2));
  assert.equal(store.marks.read.size, 0);
});

test("reading all covers entries that are not loaded, and no entry that arrives later", () => {
  const store = filled(entry(1), entry(2));
  store.changes([], of(50));
  store.marks.readUpTo = store.upToNow(AT);
  assert.deepEqual(store.counts(), of(0));
  store.changes([entry(3)], of(51));
  assert.deepEqual(store.counts(), of(1));
  assert.deepEqual(ids(store, "unread"), ["n3"]);
});

test("seeing all leaves entries unread", () => {
  const store = filled(entry(1), entry(2));
  store.marks.seenUpTo = store.upToNow(AT);
  assert.deepEqual(store.counts(), of(0, 2));
  store.changes([entry(1, { seen_at: AT }), entry(2, { seen_at: AT })], of(0, 2));
  assert.equal(store.marks.seenUpTo, null);
});

test("only entries that are new and not seen are arrivals", () => {
  const store = filled(entry(1));
  const arrived = store.changes([entry(1, { read_at: AT }), entry(2), entry(3, { seen_at: AT }), entry(4)], of(2));
  assert.deepEqual(arrived.map(({ notification_id }) => notification_id), ["n4", "n2"]);
});

test("entries below a gap are not listed until their page is loaded", () => {
  const newest = Array.from({ length: 20 }, (_, index) => entry(100 + index));
  const store = new Store();
  store.snapshot(newest, of(40), 20);
  store.changes([entry(5, { read_at: AT })], of(40));
  assert.equal(store.list("all").length, 20);
  store.page("all", { entries: Array.from({ length: 20 }, (_, index) => entry(80 + index)), next: "cursor" });
  assert.equal(store.list("all").length, 40);
  store.page("all", { entries: [entry(5)], next: null });
  assert.equal(ids(store, "all").at(-1), "n5");
  assert.equal(store.next("all"), null);
});

test("unread entries are listed as far as either tab is loaded", () => {
  const range = (from, to) => Array.from({ length: to - from }, (_, index) => entry(from + index));
  const store = new Store();
  store.snapshot(range(80, 100), of(100), 20);
  assert.equal(store.list("unread").length, 20);
  store.page("unread", { entries: range(50, 100), next: "cursor" });
  assert.deepEqual([store.list("unread").length, store.list("all").length], [50, 20]);
  store.page("all", { entries: range(0, 100), next: null });
  assert.deepEqual([store.list("unread").length, store.next("unread")], [100, null]);
});

test("a snapshot replaces what was known, so that an entry that the server deleted disappears", () => {
  const store = filled(entry(1), entry(2));
  const before = store.generation;
  store.snapshot([entry(2)], of(1), 20);
  assert.deepEqual(ids(store, "all"), ["n2"]);
  assert.notEqual(store.generation, before);
});

test("a snapshot that is not full is the whole inbox, so that no page is requested", () => {
  const store = filled(entry(1));
  assert.deepEqual(["all", "unread", "archived"].map((tab) => store.next(tab)), [null, null, undefined]);
});

test("a snapshot that joins on to what is loaded keeps what is below it, until that is read again", () => {
  const numbers = (from, to) => Array.from({ length: from - to + 1 }, (_, index) => from - index);
  const store = filled(...numbers(40, 21).map((n) => entry(n)));
  store.page("all", { entries: numbers(20, 11).map((n) => entry(n)), next: "cursor" });
  const joins = store.snapshot([entry(41), ...numbers(40, 22).map((n) => entry(n))], of(41), 20);
  assert.equal(joins, true);
  assert.deepEqual(ids(store, "all"), numbers(41, 11).map((n) => `n${n}`));
  assert.equal(store.next("all"), "cursor");

  const known = store.ids();
  store.changes([entry(42)], of(42));
  store.refresh([...numbers(41, 15), 13, 12, 11].map((n) => entry(n, n === 12 ? { read_at: AT } : {})), known);
  assert.deepEqual(ids(store, "all"), [...numbers(42, 15), 13, 12, 11].map((n) => `n${n}`), "14 was archived elsewhere");
  assert.equal(store.list("unread").some(({ notification_id }) => notification_id === "n12"), false);
});

test("a snapshot after a gap replaces what is loaded", () => {
  const of20 = (from) => Array.from({ length: 20 }, (_, index) => entry(from - index));
  const store = filled(...of20(20));
  assert.equal(store.snapshot(of20(41), of(41), 20), false);
  assert.deepEqual(ids(store, "all"), of20(41).map(({ notification_id }) => notification_id));
});
