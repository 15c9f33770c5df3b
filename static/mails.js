// The preview of a mail follows what is typed; without this, its button shows it.
"use strict";

const form = document.querySelector("form[data-shows]");
if (form) {
  const button = document.getElementById(form.dataset.shows);
  let waiting;
  const show = () => form.requestSubmit(button);
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 400);
  });
  // The choice of the look stands beside the form, not in it.
  document.addEventListener("change", (event) => {
    if (event.target.form === form && event.target.type === "radio") show();
  });
  show();
}
