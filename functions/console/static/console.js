// What pages gain from a script. Every page works without it, and without any part of it.
"use strict";

// Times in the viewer's zone, or in UTC for who wants that; the title keeps the other.
const KEPT_AS = "perkwire-times";
const inZone = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
});
const zone = inZone.resolvedOptions().timeZone.replaceAll("_", " ");
const offset = new Intl.DateTimeFormat(undefined, { timeZoneName: "short" }).formatToParts()
  .find((part) => part.type === "timeZoneName").value;
let inUtc = false;
try { inUtc = localStorage.getItem(KEPT_AS) === "utc"; } catch { /* Nothing is kept then. */ }

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    time.dataset.utc ??= time.textContent;
    time.textContent = inUtc ? time.dataset.utc : inZone.format(moment);
    time.title = inUtc ? `${inZone.format(moment)} ${offset}` : time.dataset.utc;
  }
}

function showZone() {
  const note = document.getElementById("zone");
  note.hidden = zone === "UTC" || !document.querySelector("time, input[data-utc]");
  note.querySelector("span").textContent = inUtc ? "UTC" : `${zone} (${offset})`;
  note.querySelector("button").textContent = inUtc ? `Show them in ${zone}` : "Show them in UTC";
}

document.querySelector("#zone button").addEventListener("click", () => {
  inUtc = !inUtc;
  try { localStorage.setItem(KEPT_AS, inUtc ? "utc" : "zone"); } catch { /* For this page alone. */ }
  localTimes(document);
  showZone();
  document.dispatchEvent(new Event("zone-changed"));
});

// A part of a page, by a form's fields; throws if there is no such answer.
async function ask(path, fields, signal) {
  const answer = await fetch(path, { method: "POST", body: fields, signal });
  // A session that has ended leads to another page, which is not a part of this one.
  if (!answer.ok || answer.redirected) throw new Error("not answered");
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// data-copy="text": a button that copies it.
function copyButtons(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy]")) {
    const label = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = label; }, 2000);
    });
  }
}

// data-tick-all="name": a box that ticks all boxes of this name in its form.
function tickAll(root) {
  for (const all of root.querySelectorAll("input[data-tick-all]")) {
    const form = all.form || document;
    const boxes = () => [...form.querySelectorAll(`input[type=checkbox][name="${all.dataset.tickAll}"]:not(:disabled)`)];
    const show = () => {
      const ticked = boxes().filter((box) => box.checked).length;
      all.checked = ticked > 0 && ticked === boxes().length;
      all.indeterminate = ticked > 0 && !all.checked;
    };
    (all.closest("[hidden]") || all).hidden = false;
    all.addEventListener("change", () => {
      for (const box of boxes()) box.checked = all.checked;
      form.dispatchEvent(new Event("change"));
    });
    form.addEventListener("change", show);
    show();
  }
}

// data-filter="selector": shows only the rows, or the children marked data-text, that hold the words.
function filters(root) {
  for (const input of root.querySelectorAll("input[data-filter]")) {
    const target = document.querySelector(input.dataset.filter);
    if (!target) continue;
    input.hidden = false;
    const apply = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const row of target.querySelectorAll("tbody tr, [data-text]")) {
        const text = (row.dataset.text || row.textContent).toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
    };
    input.addEventListener("input", apply);
    // Something may have been typed before the script came.
    if (input.value) apply();
  }
}

// data-reload="seconds": the parts of the page that have it, and an id, are fetched again together
// until the server says it of none. What a person is doing in one stays as it is.
let reloading;
function reloadSoon() {
  clearTimeout(reloading);
  const waits = [...document.querySelectorAll("[data-reload][id]")].map((part) => Number(part.dataset.reload));
  if (waits.length) reloading = setTimeout(reload, Math.min(...waits) * 1000);
}
async function reload() {
  try {
    if (!document.hidden) {
      const here = new URL(location.href);
      const { of } = document.body.dataset;
      if (of) here.searchParams.set("of", of);
      const answer = await fetch(here, { headers: { accept: "text/html" } });
      if (answer.redirected) return;
      // Another account has been entered in another tab: the page itself says so.
      if (of && answer.status === 409) { location.replace(here); return; }
      if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    }
  } catch { /* The next one may come through. */ }
  reloadSoon();
}

const served = new WeakMap();
function show(page) {
  for (const part of document.querySelectorAll("[data-reload][id]")) {
    const fresh = page.getElementById(part.id);
    if (!fresh) { delete part.dataset.reload; continue; }
    const html = fresh.outerHTML;
    if (served.get(part) === html || isInUse(part)) continue;
    const focused = part.contains(document.activeElement) ? sameIn(fresh, part, document.activeElement) : null;
    keepState(part, fresh);
    part.replaceWith(fresh);
    served.set(fresh, html);
    enhance(fresh);
    focused?.focus({ preventScroll: true });
    document.title = page.title;
    document.dispatchEvent(new Event("parts-replaced"));
  }
}
function isInUse(part) {
  const selected = getSelection();
  return part.querySelector("form[data-sent]") || (!selected.isCollapsed && part.contains(selected.anchorNode));
}
const nameOf = (one) => [one.localName, one.id, one.name, one.type === "checkbox" ? one.value : "", one.href, one.closest("summary, a, button")?.textContent].join("|");
function sameIn(fresh, part, one) {
  const alike = (root) => [...root.querySelectorAll(one.localName)].filter((other) => nameOf(other) === nameOf(one));
  return alike(fresh)[alike(part).indexOf(one)];
}
function keepState(part, fresh) {
  for (const details of part.querySelectorAll("details[open]")) {
    const summary = sameIn(fresh, part, details.querySelector("summary"));
    if (summary) summary.parentElement.open = true;
  }
  for (const field of part.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    const same = sameIn(fresh, part, field);
    if (!same) continue;
    if (field.type === "checkbox" || field.type === "radio") same.checked = field.checked;
    else same.value = field.value;
  }
}

// What asks to be confirmed is left by Escape; what lies over the page, also by a press beside it.
addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && event.target.closest("details.confirm[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});
addEventListener("pointerdown", (event) => {
  for (const open of document.querySelectorAll("td details.confirm[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  if (event.target.dataset.sent) { event.preventDefault(); return; }
  if (event.target.method === "post") event.target.dataset.sent = "yes";
});
addEventListener("pageshow", (event) => {
  // Browsers may keep a page to go back to, though told to keep none: it may be of another account,
  // or of a session that has ended.
  if (event.persisted) { location.reload(); return; }
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// A form that is refused is answered in its place. Its page then has the address of the form's own
// page, so that Back asks nothing, and what was filled in comes back with it.
const NOT_KEPT = ["csrf", "account"];
const refused = document.querySelector("main[data-form-page] .problem");
function postForms() {
  return [...document.querySelectorAll("main form[method=post]")];
}
function keepFilledIn() {
  const kept = postForms().map((form) => [form.getAttribute("action"), [...new FormData(form)]
    .filter(([name, value]) => !NOT_KEPT.includes(name) && typeof value === "string")]);
  history.replaceState({ kept }, "", document.querySelector("main").dataset.formPage);
}
function fillInAgain(kept) {
  for (const [action, fields] of kept) {
    const form = postForms().find((one) => one.getAttribute("action") === action);
    for (const control of form?.elements ?? []) {
      if (!control.name || NOT_KEPT.includes(control.name)) continue;
      const given = fields.filter(([name]) => name === control.name).map(([, value]) => value);
      if (control.type === "checkbox" || control.type === "radio") control.checked = given.includes(control.value);
      else if (given.length) control.value = given[0];
    }
    form?.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
if (refused) keepFilledIn();
else if (history.state?.kept) addEventListener("load", () => fillInAgain(history.state.kept), { once: true });

function enhance(root) {
  localTimes(root);
  showZone();
  copyButtons(root);
  tickAll(root);
  filters(root);
}

enhance(document);
reloadSoon();

// What has been done is said once, not at every reload.
const address = new URL(location.href);
if (address.searchParams.has("done")) {
  address.searchParams.delete("done");
  history.replaceState(history.state, "", address);
}
document.querySelector(".problem")?.focus();
