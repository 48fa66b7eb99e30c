// All charts: what is stale is drawn anew, one after the other.

function say(figure, rows) {
  const { follows, notes, empty } = figure.payload;
  const what = follows.map(chosen).join(", ");
  const none = rows.length ? "" : ` There are no rows of this choice. ${empty}`;
  figure.node.querySelector("[data-shown]").textContent = what ? `Shown: ${what}.${none}` : "";
  const note = figure.node.querySelector("[data-note]");
  note.textContent = notes[follows.map(chosen).join("\n")] ?? "";
  note.hidden = note.textContent === "";
}

async function draw(figure) {
  const rows = rowsOf(figure);
  const theme = themeName();
  const width = Math.floor(figure.chart.clientWidth);
  const state = JSON.stringify([figure.payload.follows.map(chosen), theme, width]);
  if (figure.drawn === state || width === 0) return;
  figure.drawn = state;
  say(figure, rows);
  fillTable(figure);
  figure.made?.finalize();
  figure.made = null;
  figure.chart.hidden = rows.length === 0;
  figure.chart.dataset.theme = theme;
  if (rows.length) figure.made = await embed(figure.canvas, figure, rows, theme, width);
}

let round = 0;
let working = Promise.resolve();
// Draws what is stale: what the reader sees first, and the rest when there is time. One pass at a time: of two that draw
// one chart, the older might end last.
function drawAll() {
  round += 1;
  const mine = round;
  delete document.documentElement.dataset.ready;
  working = working.then(() => pass(mine));
}

async function pass(mine) {
  const distance = ({ node }) => {
    const box = node.getBoundingClientRect();
    return box.bottom < 0 ? -box.bottom + innerHeight : Math.max(0, box.top);
  };
  for (const figure of [...figures].sort((a, b) => distance(a) - distance(b))) {
    if (mine !== round) return;
    await draw(figure);
    await new Promise((done) => setTimeout(done));
  }
  if (mine === round) document.documentElement.dataset.ready = "true";
}

// Paper is white. Printing does not wait for charts to be drawn anew, so those of a dark page change their colours where they
// stand. Cells of heat maps, whose colours are mixtures, and the numbers on them stay as they are.
function forPaper() {
  if (!print.matches) {
    drawAll();
    return;
  }
  const light = new Map(Object.entries(PALETTES.dark).map(([name, value]) => [value, PALETTES.light[name]]));
  for (const figure of figures.filter(({ chart }) => chart.dataset.theme === "dark")) {
    for (const [name] of JSON.stringify(figure.payload.spec).matchAll(/(?<="@)ramp:[\d.]+/g)) {
      light.set(colour(name, PALETTES.dark), colour(name, PALETTES.light));
    }
    for (const part of figure.chart.querySelectorAll("svg *")) {
      if (part.closest(".mark-text.role-mark")) continue;
      for (const attribute of ["fill", "stroke"]) {
        const other = light.get(part.getAttribute(attribute));
        if (other) part.setAttribute(attribute, other);
      }
    }
    // Back on the screen, it is drawn anew.
    figure.chart.dataset.theme = "light";
    figure.drawn = null;
  }
}
