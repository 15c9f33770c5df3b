// The digits on the screen, and the PIN that sends itself at its last digit.
import { $, submit } from "./page.js";

const PAUSE = 150; // a scanner types on, a person who entered the last digit stops
let pause = 0;

export function startPads() {
  document.addEventListener("click", (event) => {
    const key = event.target.closest("[data-pad] [data-key]");
    if (key) press(key);
  });
  document.addEventListener("input", (event) => {
    if (event.target.id === "pin-field") complete(event.target);
  });
  document.addEventListener("change", (event) => {
    if (event.target.name === "staff_pin_id") $("#pin-field")?.focus({ preventScroll: true });
  });
}

function press(key) {
  const field = document.getElementById(key.closest("[data-pad]").dataset.pad);
  const what = key.dataset.key;
  if (what === "letters") {
    field.inputMode = "text";
    field.blur();
    field.focus();
    return;
  }
  field.value = what === "delete" ? field.value.slice(0, -1) : field.value + what;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function complete(field) {
  clearTimeout(pause);
  const wanted = Number(field.dataset.length);
  if (!wanted || field.value.length !== wanted || !/^\d+$/.test(field.value)) return;
  const form = field.form;
  const needed = form.querySelector("[name=staff_pin_id]");
  if (needed && !form.querySelector("[name=staff_pin_id]:checked")) return;
  pause = setTimeout(() => form.isConnected && field.value.length === wanted && submit(form), PAUSE);
}
