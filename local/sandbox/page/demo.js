// Sends by the form, and shows what becomes of it: in the user's inbox, and in the notification's own account.
import { liveSource } from "/inbox/index.js";

const LABELS = { inapp: "In-app", email: "E-mail", sms: "SMS", push: "Push", webhook: "Webhook" };
const OPEN = ["pending", "queued"];
const LOOKS_EVERY_MS = 100;
const LOOKS_FOR_MS = 20_000;

const settings = await (await fetch("/demo/settings")).json();
const form = document.querySelector("#form");
const result = document.querySelector("#result");
document.querySelector("#docs").href = `${settings.publisher_url}/docs`;

const getToken = async () => {
  const response = await fetch("/demo/token", { method: "POST" });
  if (!response.ok) throw new Error(`No token: ${response.status}`);
  return (await response.json()).token;
};

const newSource = settings.firestore ? await firestoreSources(settings) : liveSources(settings);
for (const inbox of document.querySelectorAll("heliograph-inbox")) inbox.source = newSource();

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = new FormData(form);
  const channels = fields.getAll("channel");
  if (!channels.length) return show(line("error", "Choose at least one channel."));
  const button = form.querySelector("button");
  button.disabled = true;
  const began = performance.now();
  try {
    const body = { channels, title: fields.get("title"), text: fields.get("text"), use_template: Boolean(fields.get("template")) };
    const response = await fetch("/demo/send", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const answer = await response.json();
    if (!response.ok) return show(line("error", answer.detail && typeof answer.detail === "string" ? answer.detail : `${response.status}`));
    await follow(answer.notification_id, began);
  } catch {
    show(line("error", "The publisher does not answer. Does `make up` still run?"));
  } finally {
    button.disabled = false;
  }
});

function liveSources({ publisher_url: url, user_id: user }) {
  return () => liveSource(url, getToken, { user });
}

async function firestoreSources({ publisher_url: url, user_id: user, firestore }) {
  const [{ firestoreSource }, sdk] = await Promise.all([import("/inbox/firestore.js"), import("/firestore/firestore.js")]);
  const db = sdk.getFirestore(sdk.initializeApp({ projectId: firestore.project }));
  // The emulator trusts an unsigned token. A product signs its user in with Firebase Authentication instead.
  sdk.connectFirestoreEmulator(db, firestore.host, firestore.port, { mockUserToken: { sub: user, user_id: user } });
  return () => firestoreSource(db, user, { url, getToken, sdk });
}

async function follow(id, began) {
  const took = new Map();
  while (performance.now() - began < LOOKS_FOR_MS) {
    const response = await fetch(`/demo/notifications/${id}`);
    const { deliveries } = await response.json();
    const now = performance.now();
    for (const each of deliveries) if (!OPEN.includes(each.status) && !took.has(each.delivery_id)) took.set(each.delivery_id, now - began);
    show(...deliveries.map((each) => deliveryLine(each, took.get(each.delivery_id))), idLine(id));
    if (took.size === deliveries.length) return;
    await new Promise((resolve) => setTimeout(resolve, LOOKS_EVERY_MS));
  }
}

function deliveryLine(delivery, ms) {
  const why = delivery.reason ? ` (${delivery.reason})` : "";
  const name = delivery.channel ?? delivery.channel_type;
  const item = line(delivery.status, `${delivery.status}${why}`, LABELS[name] ?? name);
  if (ms !== undefined) item.append(element("time", `${Math.round(ms)} ms`));
  return item;
}

function idLine(id) {
  const item = element("li");
  item.append(element("code", `GET /v1/notifications/${id}`));
  return item;
}

function line(kind, text, label) {
  const item = element("li");
  if (label) item.append(element("b", label));
  const status = element("span", text);
  status.className = kind;
  item.append(status);
  return item;
}

function show(...items) {
  const list = element("ul");
  list.append(...items);
  result.replaceChildren(list);
}

function element(name, text = "") {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
