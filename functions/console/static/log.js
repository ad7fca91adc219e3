// The log's filters and forms: times in the viewer's zone, and short addresses.
"use strict";

const two = (number) => String(number).padStart(2, "0");
function localText(moment) {
  const day = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
  return `${day}T${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`;
}

// The server writes UTC into these fields, and takes RFC 3339 from them.
const momentFields = document.querySelectorAll("input[data-utc]");
function momentIn(input, isUtc) {
  return new Date(isUtc ? `${input.value}Z` : input.value);
}
function nameZones() {
  for (const input of momentFields) {
    const name = input.labels[0]?.querySelector("[data-zone]");
    if (name) name.textContent = inUtc ? "UTC" : offset;
  }
}
// What a field shows, and which moment that is: where clocks go back, two moments have one local time.
function showIn(input, moment) {
  input.value = inUtc ? moment.toISOString().slice(0, 19) : localText(moment);
  input.dataset.shown = input.value;
  input.dataset.moment = moment.toISOString();
}
function momentOf(input, isUtc) {
  if (input.dataset.shown === input.value && input.dataset.moment) return new Date(input.dataset.moment);
  const moment = momentIn(input, isUtc);
  if (isUtc || Number.isNaN(moment.getTime()) || input.name !== "until") return moment;
  // Of an hour that comes twice: from its first, before its second, so that nothing is left out.
  const again = new Date(moment.getTime() + 3_600_000);
  return localText(again) === localText(moment) ? again : moment;
}
for (const input of momentFields) {
  const given = new Date(`${input.defaultValue}Z`);
  // A browser that comes back to the page may have put in what was typed before.
  const isAsGiven = momentIn(input, true).getTime() === given.getTime();
  if (isAsGiven) showIn(input, given);
}
nameZones();
document.addEventListener("zone-changed", () => {
  for (const input of momentFields) {
    const moment = momentOf(input, !inUtc);
    if (!Number.isNaN(moment.getTime())) showIn(input, moment);
  }
  nameZones();
});

document.addEventListener("formdata", (event) => {
  const form = event.target;
  for (const input of form.querySelectorAll("input[data-utc]")) {
    const moment = momentOf(input, inUtc);
    if (!Number.isNaN(moment.getTime())) event.formData.set(input.name, moment.toISOString());
  }
  if (form.method !== "get") return;
  for (const [name, value] of [...event.formData]) {
    if (value === "") event.formData.delete(name);
  }
});

// On a narrow screen the rows come first, and the chosen tab is in sight.
const narrow = matchMedia("(max-width: 44rem)");
function fold() {
  for (const part of document.querySelectorAll(".fold")) part.open = !narrow.matches || "set" in part.dataset || part.querySelector("[aria-invalid=true]") !== null;
}
narrow.addEventListener("change", fold);
function showTab() {
  const tab = document.querySelector(".tabs [aria-current]");
  if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2;
}
document.addEventListener("parts-replaced", showTab);
fold();
showTab();

// Nothing to send again as long as nothing is ticked.
function needTicks() {
  const button = document.getElementById("retry-selected");
  if (button) button.disabled = !button.form.querySelector("input[name=ids]:checked");
}
document.addEventListener("change", needTicks);
document.addEventListener("parts-replaced", needTicks);
addEventListener("pageshow", needTicks);
needTicks();
