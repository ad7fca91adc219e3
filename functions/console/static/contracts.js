// The editor of contracts: the request while one types, and the line of what is wrong.
"use strict";

const contractForm = document.getElementById("contract-form");
const contractText = document.getElementById("f-contract");
const made = document.getElementById("made");
const PAUSE_IN_TYPING = 400;
let askingForIt = new AbortController();
let pausing;

function showLines() {
  for (const button of made.querySelectorAll("[data-line]")) button.hidden = false;
  for (const part of contractForm.querySelectorAll("[data-without-script]")) part.hidden = true;
}

async function showMade() {
  askingForIt.abort();
  askingForIt = new AbortController();
  const fields = new URLSearchParams([...new FormData(contractForm)]);
  fields.set("part", "made");
  try {
    const page = await ask("/console/contracts", fields, askingForIt.signal);
    made.replaceChildren(...page.body.childNodes);
    enhance(made);
    showLines();
  } catch (error) {
    if (error.name !== "AbortError") made.textContent = "It could not be rendered. What you have written is still there.";
  }
}

function showMadeSoon(event) {
  if (!["contract", "event_type", "event_id"].includes(event.target.name)) return;
  clearTimeout(pausing);
  pausing = setTimeout(showMade, PAUSE_IN_TYPING);
}

// The line is marked, and scrolled to.
made.addEventListener("click", (event) => {
  const button = event.target.closest("[data-line]");
  if (!button) return;
  const lines = contractText.value.split("\n");
  const number = Number(button.dataset.line) - 1;
  const start = lines.slice(0, number).join("\n").length + (number > 0 ? 1 : 0);
  contractText.focus();
  contractText.setSelectionRange(start, start + lines[number].length);
  contractText.scrollTop = (contractText.scrollHeight / lines.length) * Math.max(number - 3, 0);
});

contractForm.addEventListener("input", showMadeSoon);
showLines();
