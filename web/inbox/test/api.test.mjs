import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Api } from "../src/api.ts";
import { Refused } from "../src/types.ts";

const realFetch = globalThis.fetch;
afterEach(() => (globalThis.fetch = realFetch));

/** An API whose server accepts one token only, and what it was asked for. */
function api(accepted, getToken, status = 401) {
  const log = { sent: [], asked: [] };
  globalThis.fetch = async (_url, { headers }) => {
    log.sent.push(headers.Authorization);
    return new Response("{}", { status: headers.Authorization === `Bearer ${accepted}` ? 200 : status });
  };
  const recorded = (options) => {
    log.asked.push(options.renew);
    return getToken(options);
  };
  return { log, api: new Api("https://api.example", recorded) };
}

test("the token is asked for once, and again when the server does not accept it", async () => {
  const { log, api: client } = api("new", ({ renew }) => (renew ? "new" : "old"));
  await client.mark("seen");
  await client.mark("seen");
  assert.deepEqual(log.sent, ["Bearer old", "Bearer new", "Bearer new"]);
  assert.deepEqual(log.asked, [false, true]);
});

test("requests that fail together renew the token once", async () => {
  const { log, api: client } = api("new", ({ renew }) => (renew ? "new" : "old"));
  await Promise.all([client.mark("seen"), client.mark("read", ["a"]), client.mark("read_all")]);
  assert.deepEqual(log.asked, [false, true]);
});

test("a new token that is not accepted either means that the user is signed out", async () => {
  const { api: client } = api("other", () => "old");
  await assert.rejects(client.mark("seen"), (error) => error instanceof Refused && error.unaccepted === "session");
});

test("an app that says that its user is signed out is believed, and is asked again later", async () => {
  let signedOut = true;
  const { log, api: client } = api("t", () => {
    if (signedOut) throw new Refused("signed out");
    return "t";
  });
  await assert.rejects(client.mark("seen"), (error) => error instanceof Refused && error.unaccepted === "session");
  signedOut = false;
  await client.mark("seen");
  assert.deepEqual(log.sent, ["Bearer t"]);
});

test("a failing server and a limit are worth another try, another refusal is not", async () => {
  for (const status of [500, 503, 429]) await assert.rejects(api("x", () => "t", status).api.mark("seen"), (error) => !(error instanceof Refused));
  for (const status of [403, 404, 422]) await assert.rejects(api("x", () => "t", status).api.mark("seen"), (error) => error instanceof Refused && error.unaccepted === "request");
});
