// What pages gain from a script. Every page works without it, and without any part of it.
"use strict";

// Times in the viewer's zone; the title keeps UTC.
const inZone = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
});
function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.getTime())) time.textContent = inZone.format(moment);
  }
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
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const row of target.querySelectorAll("tbody tr, [data-text]")) {
        const text = (row.dataset.text || row.textContent).toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
    });
  }
}

// data-reload="seconds": the part of the page with this id is fetched again until it says no more.
function reloads(root) {
  for (const part of root.querySelectorAll("[data-reload][id]:not([data-waiting])")) {
    part.dataset.waiting = "yes";
    setTimeout(async () => {
      try {
        const answer = await fetch(location.href, { headers: { accept: "text/html" } });
        if (!answer.ok || answer.redirected) return;
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById(part.id);
        if (!fresh) return;
        part.replaceWith(fresh);
        enhance(fresh.parentElement, fresh);
      } catch {
        delete part.dataset.waiting;
        reloads(part.parentElement);
      }
    }, Number(part.dataset.reload) * 1000);
  }
}

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  if (event.target.dataset.sent) { event.preventDefault(); return; }
  if (event.target.method === "post") event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

function enhance(parent, root = parent) {
  localTimes(root);
  copyButtons(root);
  tickAll(root);
  filters(root);
  reloads(root === parent ? root : parent);
}

enhance(document);

// What has been done is said once, not at every reload.
const address = new URL(location.href);
if (address.searchParams.has("done")) {
  address.searchParams.delete("done");
  history.replaceState(history.state, "", address);
}
document.querySelector(".problem")?.focus();
