// What readers take away: pictures, numbers, and the SQL on the clipboard.

const PICTURE_WIDTH = 1000;

function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // A busy machine may take seconds until it fetches what is to be saved.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// Pictures are light and of one width, wherever they are saved.
async function picture(figure, kind) {
  const hidden = document.createElement("div");
  hidden.style.cssText = `position:absolute;left:-9999px;width:${PICTURE_WIDTH}px`;
  document.body.append(hidden);
  const made = await embed(hidden, { ...figure, spare: new Map() }, rowsOf(figure), "light", PICTURE_WIDTH);
  made.view.background(PALETTES.light.page);
  await made.view.runAsync();
  const url = kind === "png" ? await made.view.toImageURL("png", 2) : null;
  const bytes = url ? Uint8Array.from(atob(url.split(",")[1]), (character) => character.charCodeAt(0)) : await made.view.toSVG();
  made.finalize();
  hidden.remove();
  return new Blob([bytes], { type: kind === "png" ? "image/png" : "image/svg+xml" });
}

for (const figure of figures) {
  const name = figure.node.id.replace(/^figure-/, "");
  figure.node.querySelector("details.numbers").addEventListener("toggle", () => fillTable(figure));
  for (const button of figure.node.querySelectorAll("[data-save]")) {
    button.addEventListener("click", async () => {
      const kind = button.dataset.save;
      const blob = kind === "csv" ? new Blob([csv(figure)], { type: "text/csv" }) : await picture(figure, kind);
      save(`${name}.${kind}`, blob);
    });
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const code = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
  } catch {
    // Without leave to write the clipboard, the text is at least selected.
    getSelection().selectAllChildren(code);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
});
