// The till locks by itself. Twenty seconds before, a bar says so and one tap keeps it open.
// The server decides; this only shows in time what it will say.
import { $, submit } from "./page.js";

const WARNING = 20_000;
let locksAt = Infinity;

export function startLock() {
  restart();
  document.body.addEventListener("htmx:oobAfterSwap", (event) => event.target.id === "who" && restart());
  document.body.addEventListener("htmx:afterSwap", () => remember());
  $("#stay").addEventListener("click", stay);
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", () => document.hidden || tick());
}

function restart() {
  const seconds = Number($("#who")?.dataset.lockSeconds ?? 0);
  locksAt = seconds ? Date.now() + seconds * 1000 : Infinity;
  $("#lockbar").hidden = true;
  remember();
}

// The card on the screen comes back after the PIN.
function remember() {
  const form = $("#lock-form");
  if (!form) return;
  const shown = $("#stage [data-card]")?.dataset;
  form.elements.card.value = shown?.card ?? "";
  form.elements.number.value = shown?.number ?? "";
}

function tick() {
  const left = locksAt - Date.now();
  const bar = $("#lockbar");
  if (left > WARNING) {
    bar.hidden = true;
  } else if (left > 0) {
    bar.hidden = false;
    const text = $("#lock-words");
    text.textContent = text.dataset.words.replace("{}", Math.ceil(left / 1000));
  } else {
    locksAt = Infinity;
    bar.hidden = true;
    if ($("#lock-form")) submit($("#lock-form"));
  }
}

async function stay() {
  const response = await fetch($("#stay").dataset.address, { cache: "no-store" });
  if (response.ok) restart();
}
