// A secret made in the browser, so that preview, test and saving share one.
"use strict";

const SECRET_BYTES = 32;
let generated = "";

function newSecret(prefix) {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  const base64 = btoa(String.fromCharCode(...bytes));
  // After `whsec_` comes the base64 of the key; else the text itself is the key.
  return prefix ? prefix + base64 : base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function generate(button) {
  const field = document.getElementById("f-secret");
  generated = newSecret(button.dataset.generate);
  field.value = generated;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function showTools() {
  for (const tools of document.querySelectorAll(".secret-tools")) {
    tools.hidden = false;
    tools.querySelector("[data-copy-secret]").hidden = !navigator.clipboard;
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-generate], [data-copy-secret]");
  if (!button) return;
  if (button.matches("[data-generate]")) { generate(button); return; }
  const { value } = document.getElementById("f-secret");
  if (!value) return;
  await navigator.clipboard.writeText(value);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
});

// Another format may ask for another form: a secret that was made here is made again for it.
document.addEventListener("parts-replaced", () => {
  showTools();
  const button = document.querySelector("[data-generate]");
  const fits = button && generated.startsWith("whsec_") === (button.dataset.generate !== "");
  if (button && generated && !fits && document.getElementById("f-secret").value === generated) generate(button);
});

showTools();
