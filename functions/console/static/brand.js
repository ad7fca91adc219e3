// Puts a chosen file into the field of the logo, as the data URL that the form sends.
const chooser = document.querySelector("#logo-file");
chooser.hidden = false;
chooser.querySelector("input").addEventListener("change", ({ target }) => {
  const reader = new FileReader();
  reader.addEventListener("load", () => {
    document.querySelector("#f-logo").value = reader.result;
  });
  if (target.files[0]) reader.readAsDataURL(target.files[0]);
});
