// The form of a webhook: the preview while one types, the format's own fields, groups of events.
"use strict";

const webhookForm = document.getElementById("webhook-form");
const TYPING_PAUSE = 400;

// What stands in for a script is not needed now.
function hideStandIns() {
  for (const part of webhookForm.querySelectorAll("[data-without-script]")) part.hidden = true;
}

function filledIn() {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(webhookForm)) fields.append(name, value);
  return fields;
}

let asking = new AbortController();
async function showPreview() {
  asking.abort();
  asking = new AbortController();
  const preview = document.getElementById("preview");
  if (!preview) return;
  const fields = filledIn();
  fields.set("part", "preview");
  const open = preview.querySelector("details")?.open;
  try {
    const page = await ask("/console/webhooks/preview", fields, asking.signal);
    preview.replaceChildren(...page.body.childNodes);
    enhance(preview);
    if (open) preview.querySelector("details")?.setAttribute("open", "");
  } catch (error) {
    if (error.name !== "AbortError") preview.textContent = "The preview could not be loaded. What you have filled in is still there.";
  }
}

let waiting;
function previewSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(showPreview, TYPING_PAUSE);
}

// What is folded away opens once something in it is not as it came: typed before one came back.
function isChanged(field) {
  if (field.matches("select")) return field.selectedIndex > 0 && !field.selectedOptions[0].defaultSelected;
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  return field.value !== field.defaultValue;
}
function openWhatIsSet() {
  for (const folded of webhookForm.querySelectorAll("#advanced:not([open]), .of-format:not([open])")) {
    if ([...folded.querySelectorAll("input, select, textarea")].some(isChanged)) folded.open = true;
  }
}

// Another format: the parts that depend on it, with what is filled in, from where the button leads
// that stands in for this.
async function showFormat() {
  clearTimeout(waiting);
  const [path] = document.querySelector("#part-format [formaction]").getAttribute("formaction").split("#");
  try {
    const page = await ask(path, filledIn());
    for (const id of ["part-format", "part-events", "advanced", "preview", "f-event_type"]) {
      const fresh = page.getElementById(id);
      if (!fresh) continue;
      if (document.getElementById(id).open) fresh.open = true;
      document.getElementById(id).replaceWith(fresh);
      enhance(fresh);
    }
    hideStandIns();
    eventPicker();
    document.dispatchEvent(new Event("parts-replaced"));
    document.getElementById("f-format").focus();
  } catch {
    document.getElementById(document.getElementById("preview") ? "preview" : "f-format-help").textContent = "What the format offers could not be loaded. Try again.";
  }
}

// Another way to say the filter: its rows, or its JSON, with what is filled in.
async function showFilter() {
  try {
    const page = await ask("/console/webhooks/form", filledIn());
    const fresh = page.getElementById("f-filter");
    document.getElementById("f-filter").replaceWith(fresh);
    enhance(fresh);
    hideStandIns();
    fresh.querySelector("[name=filter_is]:checked").focus();
  } catch {
    document.getElementById("preview").textContent = "What there is to fill in could not be loaded. Try again.";
  }
}

// A group's box stands for those of its events that the search leaves.
function boxesOf(group) {
  return [...group.querySelectorAll(".boxes label:not([hidden]) input")];
}

function showGroup(group) {
  const all = group.querySelector("[data-tick-group]");
  const boxes = boxesOf(group);
  const ticked = boxes.filter((box) => box.checked).length;
  all.checked = ticked === boxes.length;
  all.indeterminate = ticked > 0 && !all.checked;
  group.querySelector("[data-count]").textContent = group.querySelectorAll(".boxes input:checked").length;
}

function eventPicker() {
  const picker = document.getElementById("event-picker");
  for (const group of picker.querySelectorAll("[data-group]")) {
    // Sent without a script only: the server would tick the whole group.
    group.querySelector("[data-tick-group]").removeAttribute("name");
    showGroup(group);
    group.addEventListener("change", (event) => {
      if (event.target.matches("[data-tick-group]")) {
        for (const box of boxesOf(group)) box.checked = event.target.checked;
      }
      showGroup(group);
    });
  }
  const search = picker.querySelector("[data-search]");
  search.hidden = false;
  search.addEventListener("input", (event) => {
    event.stopPropagation();
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const group of picker.querySelectorAll("[data-group]")) {
      for (const row of group.querySelectorAll(".boxes label")) {
        const text = `${row.textContent} ${row.querySelector("input").value}`.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
      group.hidden = boxesOf(group).length === 0;
      group.querySelector("details").open = words.length > 0 || group.querySelector(".boxes input:checked") !== null;
      showGroup(group);
    }
    picker.querySelector("[data-nothing]").hidden = picker.querySelector("[data-group]:not([hidden])") !== null;
  });
  search.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
}

// One more row like the last one, for a header or a condition of the filter.
function addRow(event) {
  const button = event.target.closest("[data-add-row]");
  if (!button) return;
  const kind = button.dataset.addRow;
  const rows = document.querySelectorAll(`#${kind} > .${kind.replace(/s$/, "")}`);
  const last = rows[rows.length - 1];
  const row = last.cloneNode(true);
  const number = rows.length;
  for (const input of row.querySelectorAll("input, select")) {
    input.name = input.name.replace(/\d+$/, String(number));
    input.setAttribute("aria-label", input.getAttribute("aria-label").replace(/\d+$/, String(number + 1)));
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
    if (input.matches("select")) input.selectedIndex = 0;
    else input.value = "";
  }
  row.querySelector("div")?.remove();
  last.after(row);
  row.querySelector("input").focus();
  event.preventDefault();
}

hideStandIns();
eventPicker();
webhookForm.addEventListener("click", addRow);
webhookForm.addEventListener("input", previewSoon);
webhookForm.addEventListener("input", openWhatIsSet);
addEventListener("pageshow", openWhatIsSet);
webhookForm.addEventListener("change", (event) => {
  if (event.target.name === "format") showFormat();
  if (event.target.name === "filter_is") showFilter();
});
