// After a swap the focus goes to the new screen's heading (or its field), never to a button that changes something:
// a scanner's Enter would press it.
import { $, stage } from "./page.js";

export function startFocus() {
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "stage") settle();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) leave();
  });
  settle();
}

function settle() {
  const target = $("[data-focus]", stage());
  if (!target) return;
  // The till has its own digits; the system's keyboard comes only when letters are asked for.
  if (target.matches("[data-scan]") && window.matchMedia("(pointer: coarse)").matches) target.inputMode = "none";
  target.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

function leave() {
  $(".till-bar .name").click();
}
