// The points of an amount, while it is being typed. Whole numbers only, the same rule as on the server:
// amount in minor units * rate // 10 ** digits.
import { $ } from "./page.js";

export function startPoints() {
  document.addEventListener("input", (event) => event.target.id === "amount" && show(event.target));
  document.body.addEventListener("htmx:afterSwap", () => $("#amount") && show($("#amount")));
  if ($("#amount")) show($("#amount"));
}

function show(field) {
  const form = field.form;
  const { rate, digits, one, many, add, plain } = form.dataset;
  const minor = parse(field.value, Number(digits));
  const label = $("[data-label]", form);
  if (minor === null) {
    $("#gives").textContent = "";
    label.textContent = plain;
    return;
  }
  const points = (minor * BigInt(rate)) / 10n ** BigInt(digits);
  $("#gives").textContent = (points === 1n ? one : many).replace("{}", points.toLocaleString(document.documentElement.lang));
  label.textContent = points > 0n ? add.replace("{}", points.toLocaleString(document.documentElement.lang)) : plain;
}

// "12", "12,5", "12.50", "1 234,50": the last comma or point is the decimal mark when few digits follow it.
function parse(text, digits) {
  const match = /^(\d{1,9})(?:[.,](\d*))?$/.exec(text.replace(/[\s'’]/g, ""));
  if (!match || (match[2] ?? "").length > digits) return null;
  return BigInt(match[1] + (match[2] ?? "").padEnd(digits, "0"));
}
