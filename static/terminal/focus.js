// After a swap the focus goes to the new screen's heading (or its field), never to a button that changes something:
// a scanner's Enter would press it.
import { $, stage } from "./page.js";

export function startFocus() {
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "stage") settle();
  });
  // Whoever types a customer's data in is not to lose it because somebody else joined meanwhile.
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.closest("[data-quiet]") && $("#new_customer details[open]")) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) leave();
  });
  settle();
}

function settle() {
  // What went wrong comes first.
  let target = $(".summary [data-focus]", stage()) ?? $("[data-focus]", stage());
  if (target?.matches("[data-scan]")) target = scanField(target);
  if (!target) return;
  target.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

// The till has its own digits, and the system's keyboard comes only when letters are asked for. A phone has no room
// for them: there nothing is focused that would open a keyboard over the camera.
function scanField(field) {
  if (!window.matchMedia("(pointer: coarse)").matches) return field;
  if ($("[data-pad]", stage())?.offsetParent === null) return $("[data-focus-small]", stage());
  field.inputMode = "none";
  return field;
}

function leave() {
  $(".till-bar .name").click();
}
