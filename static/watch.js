// Looks again at what may change: every 3 s for a minute while somebody is there, then once a minute.
"use strict";

const region = document.querySelector("[data-watch]");
const QUICK = 3000, SLOW = 60000, LOOKS = 20;
let quick = LOOKS;
let timer;

function wait() {
  clearTimeout(timer);
  timer = setTimeout(look, quick > 0 ? QUICK : SLOW);
}

function look() {
  // Nobody sees a page in the background; it looks again as soon as it is seen.
  if (!document.hidden) {
    quick -= 1;
    htmx.trigger(region, "look");
  }
  wait();
}

function wake() {
  const slept = quick <= 0;
  quick = LOOKS;
  if (slept) wait();
}

for (const sign of ["pointerdown", "pointermove", "keydown"]) document.addEventListener(sign, wake, { passive: true });
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  quick = LOOKS;
  look();
});
wait();
