// A form that is answered with a file: it is kept, and the page shows what there is now.
"use strict";

async function fileOf(form) {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) fields.append(name, value);
  const answer = await fetch(form.action, { method: "POST", body: fields });
  const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "");
  if (!answer.ok || !name) throw new Error("no file");
  return { name: name[1], content: await answer.blob() };
}

function keep({ name, content }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
}

async function showWhoListens() {
  const place = document.getElementById("listening");
  if (!place) return;
  const answer = await fetch(location.pathname);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("listening");
  if (!fresh) return;
  place.replaceWith(fresh);
  enhance(fresh);
}

for (const form of document.querySelectorAll("form.gives-file")) {
  let isSent = false;
  form.addEventListener("submit", async (event) => {
    // With a button of its own that only changes the form it is sent as any other.
    if (event.submitter?.hasAttribute("formaction")) return;
    event.preventDefault();
    if (isSent) return;
    isSent = true;
    try {
      keep(await fileOf(form));
    } catch {
      form.submit(); // refused, or signed out: the answer is a page
      return;
    }
    isSent = false;
    await showWhoListens().catch(() => location.reload());
  });
}
