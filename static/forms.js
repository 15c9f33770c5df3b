// Small comforts for forms of the office; every one of them works without.
"use strict";

// The colour picker and the hexadecimal field are two ways to say the same thing.
document.addEventListener("input", (event) => {
  const picker = event.target.closest("[data-colour-for]");
  if (picker) {
    const field = document.getElementById(picker.dataset.colourFor);
    field.value = picker.value.toUpperCase();
    field.dispatchEvent(new Event("change", { bubbles: true }));
    return;
  }
  const pair = document.querySelector(`[data-colour-for="${CSS.escape(event.target.id || "-")}"]`);
  if (pair && /^#[0-9a-f]{6}$/i.test(event.target.value)) pair.value = event.target.value;
});

// A picture that the server would refuse for its size stays here. Before all other listeners, so that nothing sends it.
for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    const field = event.target.closest("[data-most]");
    if (!field) return;
    const note = document.getElementById(`${field.id}-size`);
    if (field.files.length) {
      // What was said of the file before says nothing of this one.
      document.getElementById(`${field.id}-error`)?.remove();
      field.removeAttribute("aria-invalid");
    }
    if (field.files[0]?.size > Number(field.dataset.most)) {
      event.stopPropagation();
      field.value = "";
      note.textContent = field.dataset.tooLarge;
    } else if (field.files.length) {
      note.textContent = "";
    }
  }, true);
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

// What a part of the page says after it looked again is read out once, by a region that stays while the part is replaced.
const said = document.getElementById("said");
const saying = () => document.querySelector("[data-says]")?.dataset.says ?? "";
let last = saying();
document.addEventListener("htmx:afterSwap", () => {
  if (saying() === last) return;
  last = saying();
  said.textContent = last;
});

// The summary of errors takes the focus, so that it is read first.
document.querySelector("[data-focus]")?.focus();
