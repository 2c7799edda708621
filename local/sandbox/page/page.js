// Polls for new arrivals and shows the newest first. All content is inserted as text. An e-mail's HTML goes into a
// frame that runs no scripts.
const POLL_MS = 700;
const SHOWN = 100;
const NAMES = { inapp: "In-app", email: "E-mail", sms: "SMS", push: "Push", webhook: "Webhook" };

const list = document.querySelector("#arrivals");
const counts = { "": 0, inapp: 0, email: 0, sms: 0, push: 0, webhook: 0 };
let last = 0;
let selected = "";

function element(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  created.append(...children);
  return created;
}

function inapp({ title, body, url, data }) {
  const parts = [element("p", { class: "subject" }, title), element("p", { class: "body" }, body)];
  if (url) parts.push(element("p", { class: "from" }, `links to ${url}`));
  if (Object.keys(data).length) parts.push(details("Data", data));
  return parts;
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
  const text = element("div", {}, element("p", { class: "title" }, title), element("p", {}, body));
  const icon = element("img", { src: "/page/icon.svg", alt: "", width: 38, height: 38 });
  const parts = [element("div", { class: "banner" }, icon, text)];
  if (Object.keys(data).length) parts.push(details("Data", data));
  return parts;
}

function webhook({ method, headers, body, signature }) {
  const good = signature === "valid";
  const verdict = good ? "✓ signature valid" : `✗ signature ${signature}`;
  return [
    element("p", { class: `verdict ${good ? "good" : "bad"}` }, verdict),
    element("pre", {}, asText(body)),
    details(`${method}, with ${Object.keys(headers).length} headers`, headers),
  ];
}

const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

function details(summary, table) {
  const lines = Object.entries(table).map(([name, value]) => `${name}: ${value}`).join("\n");
  return element("details", {}, element("summary", {}, summary), element("pre", {}, lines));
}

const CONTENT_OF = { inapp, email, sms, push, webhook };

function card(arrival) {
  const at = new Date(arrival.at);
  const head = element("header", {},
    element("h3", {}, NAMES[arrival.channel_type]),
    element("span", { class: "to" }, `to ${arrival.recipient}`),
    element("time", { datetime: arrival.at, title: at.toLocaleString() }, at.toLocaleTimeString()));
  const shown = element("div", { class: "shown" }, ...CONTENT_OF[arrival.channel_type](arrival.content));
  const foot = element("footer", {}, `${arrival.provider} `, element("span", { class: "mono" }, arrival.provider_message_id));
  if (!arrival.answered) foot.append(element("span", { class: "warn" }, " · accepted, but not answered"));
  const article = element("article", { class: "arrival new", "data-channel-type": arrival.channel_type }, head, shown, foot);
  article.hidden = selected !== "" && selected !== arrival.channel_type;
  return article;
}

function redraw() {
  for (const button of document.querySelectorAll("#filters button")) {
    button.querySelector("b").textContent = counts[button.dataset.channelType];
    button.setAttribute("aria-pressed", String(button.dataset.channelType === selected));
  }
  for (const article of list.children) article.hidden = selected !== "" && selected !== article.dataset.channelType;
  document.querySelector("#empty").hidden = counts[selected] > 0;
}

function live(on) {
  document.querySelector("#live").dataset.state = on ? "on" : "off";
  const text = on ? "Live" : "The sandbox does not respond. Trying again …";
  const shown = document.querySelector("#live-text");
  if (shown.textContent !== text) shown.textContent = text; // a screen reader reads every assignment aloud
}

async function poll() {
  try {
    const response = await fetch(`/arrivals?since=${last}&limit=${SHOWN}`);
    const { arrivals } = await response.json();
    for (const arrival of arrivals) {
      last = arrival.number;
      counts[""] += 1;
      counts[arrival.channel_type] += 1;
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
  selected = button.dataset.channelType;
  redraw();
});

document.querySelector("#clear").addEventListener("click", async () => {
  await fetch("/arrivals", { method: "DELETE" });
  list.replaceChildren();
  for (const channelType of Object.keys(counts)) counts[channelType] = 0;
  redraw();
});

function recipientRow({ channel_type: channelType, recipient, explanation }) {
  const address = recipient.startsWith("/") ? location.origin + recipient : recipient;
  return element("tr", {},
    element("td", {}, NAMES[channelType]),
    element("td", {}, element("code", {}, address)),
    element("td", {}, explanation));
}

const recipients = await (await fetch("/test-recipients")).json();
document.querySelector("#recipients").append(...recipients.map(recipientRow));
poll();
