import assert from "node:assert/strict";
import { test } from "node:test";
import { MarkQueue } from "../src/queue.ts";
import { Refused } from "../src/types.ts";

const AT = "2026-01-01T12:00:00Z";
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

/** A source that records its calls; `answer` may throw. */
function scripted(answer = () => {}) {
  const calls = [];
  const call = (name) => async (argument) => {
    calls.push([name, ...(argument ? [argument] : [])]);
    return answer(name, argument);
  };
  const names = ["markRead", "archive", "markAllRead", "markSeen", "page"];
  return { calls, user: "ada", ...Object.fromEntries(names.map((name) => [name, call(name)])) };
}

function memory(kept = {}) {
  return { kept, getItem: (key) => kept[key] ?? null, setItem: (key, value) => (kept[key] = value), removeItem: (key) => delete kept[key] };
}

function queue(source, { storage = null, refused = () => {}, allSeen = () => true } = {}) {
  return new MarkQueue(source, { storage, refused, allSeen });
}

test("a mark is sent at once, and not kept after that", async () => {
  const [source, storage] = [scripted(), memory()];
  queue(source, { storage }).read(["a", "b"], AT);
  assert.deepEqual(JSON.parse(storage.kept["heliograph-inbox:ada"]).read, [["a", AT], ["b", AT]]);
  await settled();
  assert.deepEqual(source.calls, [["markRead", ["a", "b"]]]);
  assert.deepEqual(storage.kept, {});
});

test("marks that fail are kept over a reload and sent when the connection is back", async () => {
  const storage = memory();
  const away = queue(scripted(() => { throw new TypeError("Failed to fetch"); }), { storage });
  away.read(["a"], AT);
  away.archive(["b"], AT);
  await settled();
  away.stop();

  const source = scripted();
  const reloaded = queue(source, { storage });
  assert.deepEqual([...reloaded.restore().read.keys()], ["a"]);
  await reloaded.flush();
  assert.deepEqual(source.calls, [["markRead", ["a"]], ["archive", ["b"]]]);
  assert.deepEqual(storage.kept, {});
});

test("without a user's name nothing is stored", async () => {
  const storage = memory();
  const away = queue({ ...scripted(() => { throw new TypeError("Failed to fetch"); }), user: undefined }, { storage });
  away.read(["a"], AT);
  await settled();
  away.stop();
  assert.deepEqual(storage.kept, {});
});

test("a refused mark is dropped and undone, and the next one is sent", async () => {
  const undone = [];
  const source = scripted((name) => { if (name === "markRead") throw new Refused("422"); });
  const pending = queue(source, { refused: (marks) => undone.push(...marks.read.keys()) });
  pending.read(["a"], AT);
  pending.archive(["b"], AT);
  await settled();
  assert.deepEqual(undone, ["a"]);
  assert.deepEqual(source.calls.at(-1), ["archive", ["b"]]);
});

for (const unaccepted of ["session", "origin"]) test(`a mark is kept while the server refuses the ${unaccepted}`, async () => {
  let signedOut = true;
  const source = scripted(() => { if (signedOut) throw new Refused("refused", unaccepted); });
  const pending = queue(source, { refused: () => assert.fail("the mark was undone") });
  pending.read(["a"], AT);
  await settled();
  signedOut = false;
  await pending.flush();
  assert.equal(source.calls.length, 2);
});

test("reading all is one request now, and names the entries when it is sent late", async () => {
  const now = new Date().toISOString();
  const prompt = scripted();
  queue(prompt).readUpTo({ key: "x", at: now });
  await settled();
  assert.deepEqual(prompt.calls, [["markAllRead"]]);

  const entry = (id, second) => ({ notification_id: id, delivered_at: `2026-11-30T00:00:0${second}Z` });
  const pages = { first: { entries: [entry("later", 9), entry("b", 5)], next: "second" }, second: { entries: [entry("a", 1)], next: null } };
  const late = scripted((name, { before } = {}) => (name === "page" ? pages[before ?? "first"] : undefined));
  queue(late).readUpTo({ key: `${String(Date.UTC(2026, 10, 30) / 1000 + 5).padStart(12, "0")}.000000000 b`, at: AT });
  await settled();
  const marked = late.calls.filter(([name]) => name === "markRead").map(([, ids]) => ids);
  assert.deepEqual(marked, [["b"], ["a"]]);
});

test("many marks are sent in batches", async () => {
  const source = scripted();
  queue(source).read(Array.from({ length: 250 }, (_, index) => `n${index}`), AT);
  await settled();
  assert.deepEqual(source.calls.map(([, ids]) => ids.length), [100, 100, 50]);
});
