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

// "12", "12,5", "12.50", "1 234,50", "1.234,50": read as `parse_amount` of the server reads them.
function parse(text, digits) {
  const typed = text.normalize("NFKC").replaceAll("\u2019", "'").replace(/^[ \u20ac]+|[ \u20ac]+$/g, "");
  const [whole, decimals] = split(typed, digits) ?? [];
  if (whole === undefined || decimals.length > digits || whole.replace(/^0+/, "").length > 9) return null;
  return BigInt(whole + decimals.padEnd(digits, "0"));
}

function split(typed, digits) {
  const plain = /^(\d*)(?:[.,](\d*))?$/.exec(typed);
  if (plain && (plain[1] || plain[2]) && (plain[2] ?? "").length <= digits) return [plain[1], plain[2] ?? ""];
  const grouped = /^(\d{1,3})((?:([ .,'])\d{3})(?:\3\d{3})*)(?:([.,])(\d*))?$/.exec(typed);
  if (!grouped) return null;
  const [, first, groups, mark, point, decimals = ""] = grouped;
  // "12,345" could be meant either way.
  const clear = " '".includes(mark) || groups.length > 4 || (point && point !== mark) || digits === 0;
  return clear ? [first + groups.replaceAll(mark, ""), decimals] : null;
}
