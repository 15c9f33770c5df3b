// What the other files ask of the page.

export const $ = (selector, root = document) => root.querySelector(selector);

export const words = (name) => $("#words").dataset[name];

export const stage = () => $("#stage");

// Live regions stay the same nodes for the whole day; only their text changes, or it would not be read aloud.
export function announce(text) {
  $("#announce").textContent = text;
}

export function alertLive(text) {
  $("#net-live").textContent = text;
}

export function submit(form) {
  window.htmx.trigger(form, "submit");
}

let looked = { text: "", at: 0 };

// Both scanners end here. The same card again within three seconds is the same scan, not the next customer.
export function lookUp(text) {
  const now = Date.now();
  if (text === looked.text && now - looked.at < 3000) {
    announce(words("same"));
    return;
  }
  looked = { text, at: now };
  const form = $("#wedge");
  form.elements.q.value = text;
  submit(form);
}

export function isLocked() {
  return Boolean($("#pin, #pair"));
}
