// Charts: what is pointed at is told below them, in the viewer's time. Without it the browser's
// own tip and the table say the same.
"use strict";

const plots = document.querySelector("[data-plots]");
const readout = document.querySelector("[data-readout]");
const LONGEST = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" };

function timeOf(place) {
  const at = new Date(new Date(plots.dataset.from).getTime() + place * Number(plots.dataset.plots) * 1000);
  return at.toLocaleString(undefined, inUtc ? { ...LONGEST, timeZone: "UTC" } : LONGEST);
}

function tell(event) {
  const column = event.target.closest("g");
  if (!column) return;
  const place = [...column.parentNode.children].indexOf(column);
  const chart = column.closest("figure").querySelector("figcaption").textContent;
  readout.textContent = `${timeOf(place)} to ${timeOf(place + 1)}. ${chart}: ${column.querySelector("title").textContent}`;
}

if (plots) {
  readout.hidden = false;
  plots.addEventListener("pointerover", tell);
  plots.addEventListener("click", tell);
}
