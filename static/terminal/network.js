// A bad network: the same form is sent again with the same key after 1, 2 and 4 seconds, then the outcome is called
// unknown in plain words. Nothing is kept for later and nothing is ever sent under a fresh key.
import { play } from "./feedback.js";
import { $, alertLive, submit, words } from "./page.js";

const WAITS = [1000, 2000, 4000];
const PING = 25_000;
const PING_DOWN = 3000;
const tries = new WeakMap();
// What a form said when it was first sent: an amount that is typed while its answer is lost is another purchase.
const sent = new WeakMap();
let unknown = null;
let connected = true;
let asking = false;
let timer = 0;

export function startNetwork() {
  const body = document.body;
  body.addEventListener("htmx:configRequest", repeat);
  body.addEventListener("htmx:sendError", failed);
  body.addEventListener("htmx:timeout", failed);
  body.addEventListener("htmx:responseError", failed);
  body.addEventListener("htmx:afterRequest", answered);
  document.addEventListener("submit", refuseDisabled, { capture: true });
  document.addEventListener("click", refuseDisabled, { capture: true });
  $("#net-again").addEventListener("click", again);
  // What the browser says about the network is only a hint: it knows the cable, not the server.
  window.addEventListener("online", ping);
  window.addEventListener("offline", () => connection(false));
  document.addEventListener("visibilitychange", () => document.hidden || ping());
  setInterval(() => document.hidden || ping(), PING);
  body.addEventListener("htmx:afterSwap", () => connected || mark());
}

// One question at a time, and one timer: a long outage must not end in a storm.
async function ping() {
  if (asking) return;
  asking = true;
  clearTimeout(timer);
  try {
    const response = await fetch(document.body.dataset.ping, { cache: "no-store", signal: AbortSignal.timeout(8000) });
    if (response.status === 401 && !$("#pair")) location.reload();
    connection(response.status < 500);
  } catch {
    connection(false);
  } finally {
    asking = false;
  }
}

function repeat(event) {
  const form = event.detail.elt;
  if (!form.matches?.("[data-command]")) return;
  const open = tries.has(form) || form === unknown;
  if (open && sent.has(form)) event.detail.parameters = sent.get(form);
  else sent.set(form, event.detail.formData);
}

function failed(event) {
  const form = event.detail.elt;
  if (event.type !== "htmx:responseError") connection(false);
  if (form.matches?.("[data-command], [data-lookup]")) retry(form, event.detail.xhr);
  else if (!form.closest?.("[data-quiet]")) say(words("offlineShort"));
}

function retry(form, xhr) {
  const count = tries.get(form) ?? 0;
  if (count < WAITS.length) {
    tries.set(form, count + 1);
    say(words("slow"));
    setTimeout(() => form.isConnected && submit(form), WAITS[count]);
    return;
  }
  tries.delete(form);
  unknown = form;
  const reference = xhr?.getResponseHeader("X-Request-Id");
  say(reference ? words("reference").replace("{}", reference) : words("unknown"));
  $("#net-again").hidden = false;
  play("bad");
}

function again() {
  const form = unknown;
  unknown = null;
  $("#net-again").hidden = true;
  if (!form?.isConnected) return;
  tries.set(form, 0);
  submit(form);
}

function answered(event) {
  const status = event.detail.xhr?.status ?? 0;
  if (status === 0 || status >= 500) return;
  tries.delete(event.detail.elt);
  if (event.detail.elt === unknown) unknown = null;
  connection(true);
}

function connection(up) {
  const came = up && !connected;
  connected = up;
  document.body.classList.toggle("offline", !up);
  const word = $("#net-word");
  word.textContent = up ? word.dataset.on : word.dataset.off;
  mark();
  if (up && !(unknown?.isConnected)) quiet();
  if (!up && $("#net").hidden) say(words("offline"));
  clearTimeout(timer);
  if (!up) timer = setTimeout(ping, PING_DOWN);
  // Back again: what was left open is asked once more, with the same key.
  if (came && unknown?.isConnected) again();
}

function mark() {
  for (const button of document.querySelectorAll("[data-needs-net]")) {
    if (!button.dataset.until) button.toggleAttribute("data-waiting", !connected);
    if (connected && !button.dataset.until) button.removeAttribute("aria-disabled");
    else button.setAttribute("aria-disabled", "true");
  }
}

// A button that is not ready says why instead of doing something.
function refuseDisabled(event) {
  const button = event.type === "submit" ? event.submitter : event.target.closest?.("button[aria-disabled='true']");
  if (!button || button.getAttribute("aria-disabled") !== "true") return;
  if (button.dataset.until && Date.now() >= Number(button.dataset.until) * 1000 && connected) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (button.hasAttribute("data-waiting")) say(words("offline"));
  play("warn");
}

function say(text) {
  const banner = $("#net");
  if (!banner.hidden && $("#net-text").textContent === text) return;
  $("#net-text").textContent = text;
  banner.hidden = false;
  alertLive(text);
}

function quiet() {
  $("#net").hidden = true;
  $("#net-again").hidden = true;
  alertLive("");
}
