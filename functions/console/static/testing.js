// data-outcome="id": a button whose answer comes into this part of the page, which stays as it is.
"use strict";

// What lies over the form can be put away.
function closing(place, button) {
  const close = document.createElement("button");
  close.type = "button";
  close.className = "small quiet close";
  close.textContent = "Close";
  close.addEventListener("click", () => {
    place.replaceChildren();
    button.focus();
  });
  return close;
}

document.addEventListener("submit", async (event) => {
  const button = event.submitter;
  const place = document.getElementById(button?.dataset.outcome ?? "");
  if (!place || event.defaultPrevented) return;
  event.preventDefault();
  const form = event.target;
  const fields = new URLSearchParams([...new FormData(form)]);
  fields.set("part", "outcome");
  place.textContent = "The test is on its way …";
  try {
    const path = button.hasAttribute("formaction") ? button.formAction : form.action;
    const answer = await fetch(path, { method: "POST", body: fields });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.redirected) {
      place.textContent = "Your session has ended, and nothing was sent. Sign in again in another tab, then come back to this one.";
    } else if (page.querySelector(".outcome, .problem")) {
      place.replaceChildren(...page.body.childNodes);
      for (const taking of place.querySelectorAll("[data-takes-over]")) taking.hidden = false;
    } else {
      place.textContent = page.querySelector("h1")?.textContent ?? "The test could not be sent. Try again.";
    }
  } catch {
    place.textContent = "The test could not be sent. Try again.";
  } finally {
    if (place.closest(".save")) place.prepend(closing(place, button));
    delete form.dataset.sent;
  }
});

// What a test has told is of what was filled in then: once that is changed, it says so.
function outlive(event) {
  const form = event.target.form;
  const button = form?.querySelector("[data-outcome]");
  const told = button && document.getElementById(button.dataset.outcome)?.querySelector(".outcome:not(.old)");
  if (!told) return;
  told.classList.remove("good", "bad");
  told.classList.add("old");
  const title = told.querySelector("h3");
  title.textContent = `Before your last change: ${title.textContent}`;
}
document.addEventListener("input", outlive);
document.addEventListener("change", outlive);

// data-takes-over="URL": the form's URL becomes the one that the endpoint has pointed to.
document.addEventListener("click", (event) => {
  const taken = event.target.closest("[data-takes-over]");
  if (!taken) return;
  const field = document.getElementById("f-url");
  if (!field) {
    window.location.assign(`${window.location.pathname}/edit?url=${encodeURIComponent(taken.dataset.takesOver)}`);
    return;
  }
  field.value = taken.dataset.takesOver;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});
