// Small comforts. Every page works without this file.
"use strict";

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
}

// Only the operators that a feature takes can be chosen.
function fitOperators(row) {
  const [column, operator] = row.querySelectorAll("select");
  const kind = column.selectedOptions[0].dataset.kind;
  for (const option of operator.options) {
    const kinds = option.dataset.kinds;
    option.disabled = Boolean(kind && kinds && !kinds.split(" ").includes(kind));
  }
  if (operator.selectedOptions[0].disabled) operator.value = "eq";
}

function follow(row) {
  row.querySelector("select").addEventListener("change", () => fitOperators(row));
  fitOperators(row);
}

document.querySelectorAll(".feature").forEach(follow);

for (const button of document.querySelectorAll("[data-add]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const rows = document.querySelectorAll(".feature");
    const last = rows[rows.length - 1];
    const row = last.cloneNode(true);
    const number = rows.length + 1;
    row.setAttribute("aria-label", `Condition ${number}`);
    for (const element of row.querySelectorAll("[id], [for]")) {
      for (const name of ["id", "for"]) {
        const value = element.getAttribute(name);
        if (value) element.setAttribute(name, value.replace(/\d+$/, number));
      }
      if (element.tagName === "LABEL") element.textContent = element.textContent.replace(/\d+$/, number);
      if (element.tagName === "INPUT") element.value = "";
    }
    last.after(row);
    follow(row);
    row.querySelector("select").focus();
  });
}

// On a narrow screen the list comes first, and the filters open on demand.
const fold = document.querySelector(".fold");
if (fold && window.matchMedia("(max-width: 60rem)").matches) fold.open = false;
