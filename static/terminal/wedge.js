// A USB or Bluetooth scanner is a keyboard that types faster than any person and ends with Enter or Tab.
// It is heard on every screen, whatever has the focus.
import { $, announce, isLocked, lookUp, words } from "./page.js";

const FASTEST_TYPIST = 60; // milliseconds from key to key, on average: no person keeps this up for a whole code
const LONGEST_PAUSE = 600; // a busy tablet may hold one key back; whoever pauses longer is a person
const SHORTEST_CODE = 6;
let burst = "";
let first = 0;
let last = 0;

export function startWedge() {
  document.addEventListener("keydown", listen, { capture: true });
}

function listen(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.timeStamp - last > LONGEST_PAUSE) burst = "";
  if (!burst) first = event.timeStamp;
  last = event.timeStamp;
  if (event.key === "Enter" || event.key === "Tab") {
    if (burst.length >= SHORTEST_CODE && (last - first) / burst.length < FASTEST_TYPIST) scanned(event);
    burst = "";
  } else if (event.key.length === 1) {
    burst += event.key;
  }
}

function scanned(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
  const field = event.target.matches("input, textarea") ? event.target : null;
  if (field?.matches("[data-scan-test]")) {
    test(field, burst);
    return;
  }
  // What the scanner typed into a field that was open for something else is taken out again.
  if (field?.value.endsWith(burst)) field.value = field.value.slice(0, -burst.length);
  if (isLocked()) announce(words("locked"));
  else lookUp(burst);
}

function test(field, text) {
  const good = text.toUpperCase() === field.dataset.scanTest;
  $("#scan-test-answer").textContent = good ? field.dataset.good : field.dataset.bad;
  field.select();
}
