// Asks for what is new and puts it on top. All that arrived is put in as text; an e-mail's HTML goes into a frame
// without scripts.
const POLL_MS = 700;
const SHOWN = 100;
const NAMES = { email: "E-mail", sms: "SMS", push: "Push", webhook: "Webhook" };

const list = document.querySelector("#arrivals");
const counts = { "": 0, email: 0, sms: 0, push: 0, webhook: 0 };
let last = 0;
let chosen = "";

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function email({ subject, from, html, text }) {
  const head = [element("p", { class: "subject" }, subject), element("p", { class: "from" }, `from ${from}`)];
  if (!html) return [...head, element("pre", { class: "plain" }, text ?? "")];
  const frame = element("iframe", { sandbox: "", title: `The e-mail “${subject}”`, srcdoc: html });
  const plain = element("details", {}, element("summary", {}, "Plain text"), element("pre", {}, text ?? ""));
  return [...head, frame, plain];
}

const sms = ({ text }) => [element("p", { class: "bubble" }, text)];

function push({ title, body, data }) {
  const words = element("div", {}, element("p", { class: "title" }, title), element("p", {}, body));
  const icon = element("img", { src: "/page/icon.svg", alt: "", width: 38, height: 38 });
  const shown = [element("div", { class: "banner" }, icon, words)];
  if (Object.keys(data).length) shown.push(details("Data", data));
  return shown;
}

function webhook({ method, headers, body, signature }) {
  const good = signature === "valid";
  const verdict = good ? "✓ signature holds" : `✗ signature: ${signature}`;
  return [
    element("p", { class: `verdict ${good ? "good" : "bad"}` }, verdict),
    element("pre", {}, readable(body)),
    details(`${method}, with ${Object.keys(headers).length} headers`, headers),
  ];
}

const readable = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

function details(summary, table) {
  const lines = Object.entries(table).map(([name, value]) => `${name}: ${value}`).join("\n");
  return element("details", {}, element("summary", {}, summary), element("pre", {}, lines));
}

const SHOW = { email, sms, push, webhook };

function card(arrival) {
  const at = new Date(arrival.at);
  const head = element("header", {},
    element("h3", {}, NAMES[arrival.channel]),
    element("span", { class: "to" }, `to ${arrival.recipient}`),
    element("time", { datetime: arrival.at, title: at.toLocaleString() }, at.toLocaleTimeString()));
  const shown = element("div", { class: "shown" }, ...SHOW[arrival.channel](arrival.content));
  const foot = element("footer", {}, `${arrival.provider} `, element("span", { class: "mono" }, arrival.provider_message_id));
  if (!arrival.answered) foot.append(element("span", { class: "warn" }, " · accepted, but the answer was withheld"));
  const made = element("article", { class: "arrival new", "data-channel": arrival.channel }, head, shown, foot);
  made.hidden = chosen !== "" && chosen !== arrival.channel;
  return made;
}

function redraw() {
  for (const button of document.querySelectorAll("#filters button")) {
    button.querySelector("b").textContent = counts[button.dataset.channel];
    button.setAttribute("aria-pressed", String(button.dataset.channel === chosen));
  }
  for (const made of list.children) made.hidden = chosen !== "" && chosen !== made.dataset.channel;
  document.querySelector("#empty").hidden = counts[chosen] > 0;
}

function live(on) {
  document.querySelector("#live").dataset.state = on ? "on" : "off";
  const text = on ? "Live" : "The sandbox does not answer; trying again";
  const shown = document.querySelector("#live-text");
  if (shown.textContent !== text) shown.textContent = text; // else a screen reader would hear it each time
}

async function poll() {
  try {
    const answer = await fetch(`/arrivals?since=${last}&limit=${SHOWN}`);
    const { arrivals } = await answer.json();
    for (const arrival of arrivals) {
      last = arrival.number;
      counts[""] += 1;
      counts[arrival.channel] += 1;
      list.prepend(card(arrival));
    }
    while (list.children.length > SHOWN) list.lastElementChild.remove();
    if (arrivals.length) redraw();
    live(true);
  } catch {
    live(false);
  }
  setTimeout(poll, POLL_MS);
}

document.querySelector("#filters").addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  chosen = button.dataset.channel;
  redraw();
});

document.querySelector("#clear").addEventListener("click", async () => {
  await fetch("/arrivals", { method: "DELETE" });
  list.replaceChildren();
  for (const channel of Object.keys(counts)) counts[channel] = 0;
  redraw();
});

const magic = await (await fetch("/magic")).json();
document.querySelector("#magic").append(...magic.map(({ channel, recipient, explanation }) => element("tr", {},
  element("td", {}, NAMES[channel]),
  element("td", {}, element("code", {}, recipient.startsWith("/") ? location.origin + recipient : recipient)),
  element("td", {}, explanation))));
poll();
