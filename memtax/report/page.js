// The page's behaviour: drawing charts in the reader's theme and width, following what is chosen, tables, downloads.
"use strict";
(() => {
  const PALETTES = {
    light: {
      page: "#ffffff", ink: "#1b1f24", muted: "#59636e", line: "#d4d9df",
      recitation: "#0072b2", reconstruction: "#c4520a", recollection: "#00805c", unknown: "#6b7280",
      all: "#30363d", code: "#7b3fa0", "natural-language": "#8a5a00", uncertain: "#6b7280",
      baseline: "#4b5563", taxonomy: "#b3126b", tree: "#00757f", searched: "#6d5f00", own: "#4a3fb0",
      memorized: "#b3126b", "not-memorized": "#5f7f9e",
      low: "#d2691e", middle: "#f7f7f7", high: "#2b7bba", "on-strong": "#000000", ramp: ["#5b95ca", "#08254a"],
    },
    dark: {
      page: "#14171b", ink: "#e8eaed", muted: "#a5adb8", line: "#3a414b",
      recitation: "#56b4e9", reconstruction: "#ff9e4f", recollection: "#2fc79a", unknown: "#9aa3ad",
      all: "#d5dae0", code: "#c79bea", "natural-language": "#d9a940", uncertain: "#9aa3ad",
      baseline: "#aeb6c0", taxonomy: "#f57fb9", tree: "#4fc9d4", searched: "#d3c24a", own: "#a59cff",
      memorized: "#f57fb9", "not-memorized": "#7f9fbe",
      low: "#b65a14", middle: "#262b31", high: "#2a74b0", "on-strong": "#ffffff", ramp: ["#3d80be", "#d9ecff"],
    },
  };
  const MOST_TABLE_ROWS = 1000;
  const PICTURE_WIDTH = 1000;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const print = matchMedia("print");
  const choices = JSON.parse(document.getElementById("choices").textContent);
  const modelOf = new Map(choices.runs.map(({ run, model }) => [run, model]));
  const chooseSample = document.getElementById("choose-sample");
  const chooseRun = document.getElementById("choose-run");
  const themeName = () => (dark.matches && !print.matches ? "dark" : "light");

  function chosen(column) {
    if (column === "sample") return chooseSample.value;
    return column === "model" ? modelOf.get(chooseRun.value) : chooseRun.value;
  }

  function colour(name, palette) {
    if (!name.startsWith("ramp:")) return palette[name] ?? name;
    const share = Number(name.slice(5));
    const [first, last] = palette.ramp.map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
    return "#" + first.map((from, i) => Math.round(from + share * (last[i] - from)).toString(16).padStart(2, "0")).join("");
  }

  // A copy of a specification with the names of colours replaced.
  function painted(value, palette) {
    if (typeof value === "string") return value.startsWith("@") ? colour(value.slice(1), palette) : value;
    if (Array.isArray(value)) return value.map((item) => painted(item, palette));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, painted(item, palette)]));
  }

  function config(palette, width) {
    const labels = Math.max(90, Math.min(190, width * 0.3));
    return {
      background: "transparent", aria: false, font: 'system-ui, "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif',
      view: { stroke: null, continuousHeight: 260 },
      axis: {
        labelColor: palette.ink, titleColor: palette.muted, domainColor: palette.muted, tickColor: palette.muted, gridColor: palette.line,
        gridOpacity: 0.7, labelFontSize: 11.5, titleFontSize: 12, titleFontWeight: "normal", labelLimit: labels,
      },
      axisX: { labelLimit: 130 },
      header: { labelColor: palette.ink, titleColor: palette.muted, labelFontSize: 12.5 },
      legend: { labelColor: palette.ink, titleColor: palette.muted, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", labelLimit: 220, symbolSize: 90 },
      text: { color: palette.ink }, facet: { spacing: { row: 24, column: 18 } }, concat: { spacing: { row: 28, column: 30 } },
    };
  }

  const figures = [...document.querySelectorAll("figure")].filter((node) => node.querySelector("[data-payload]")).map((node) => ({
    node, chart: node.querySelector("[data-chart]"), canvas: node.querySelector("[data-canvas]"), payload: JSON.parse(node.querySelector("[data-payload]").textContent),
    spare: new Map(), drawn: null,
  }));

  function rowsOf(figure) {
    const { columns, rows, follows } = figure.payload;
    const wanted = follows.map((column) => [columns.indexOf(column), chosen(column)]);
    return rows.filter((row) => wanted.every(([place, value]) => row[place] === value));
  }

  function objects(columns, rows) {
    return rows.map((row) => Object.fromEntries(columns.map((name, place) => [name, row[place]])));
  }

  // Legends stand above the charts, in as many columns as fit.
  function legends(value, width) {
    if (value === null || typeof value !== "object") return;
    const names = value.scale?.domain;
    if (value.legend?.gradientLength) value.legend.gradientLength = Math.min(value.legend.gradientLength, width * 0.45);
    else if (value.legend && names) {
      const longest = Math.max(...names.map((name) => String(name).length));
      value.legend.columns = Math.max(1, Math.floor((width - 60) / (7 * longest + 34)));
    }
    Object.values(value).forEach((part) => legends(part, width));
  }

  // How many charts fit side by side, and the width of each.
  function place(spec, rows, width, spare) {
    const { cell = width, columns: most = 1 } = spec.usermeta ?? {};
    const field = spec.facet?.field;
    const panels = spec.concat?.length ?? (rows.length && field in rows[0] ? new Set(rows.map((row) => row[field])).size : most);
    const columns = Math.max(1, Math.min(most, panels, Math.floor(width / Math.min(cell, width))));
    const each = Math.max(90, Math.floor((width - (spare.get(columns) ?? 80 * (spec.concat ? columns : 1))) / columns));
    delete spec.usermeta;
    legends(spec, width);
    for (const part of spec.concat ?? [spec.spec ?? spec]) part.width = each;
    if (spec.facet) spec.columns = columns;
    if (spec.concat) {
      // Rows of columns: `concat` itself draws nothing where expressions are interpreted, as the page's policy has it.
      spec.vconcat = [];
      while (spec.concat.length) spec.vconcat.push({ hconcat: spec.concat.splice(0, columns) });
      delete spec.concat;
      delete spec.columns;
    }
    return columns;
  }

  async function embed(target, figure, rows, theme, width) {
    const palette = PALETTES[theme];
    const data = objects(figure.payload.columns, rows);
    for (let attempt = 0; ; attempt += 1) {
      const spec = painted(figure.payload.spec, palette);
      const columns = place(spec, data, width, figure.spare);
      spec.datasets = { ...spec.datasets, rows: data };
      const made = await vegaEmbed(target, spec, {
        ast: true, actions: false, renderer: "svg", config: config(palette, width), tooltip: { theme: "custom", disableDefaultStyle: false },
      });
      const svg = target.querySelector("svg");
      const off = Number(svg.getAttribute("width")) - width;
      if (attempt === 2 || (off <= 0 && off > -30)) return made;
      // What axes and legends take is known only now.
      figure.spare.set(columns, (figure.spare.get(columns) ?? 80 * (spec.vconcat ? columns : 1)) + off + 6);
      made.finalize();
    }
  }

  function say(figure, rows) {
    const { follows } = figure.payload;
    const what = follows.map(chosen).join(", ");
    const empty = rows.length ? "" : " There are no rows of this choice.";
    figure.node.querySelector("[data-shown]").textContent = what ? `Shown: ${what}.${empty}` : "";
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

  const formatted = (value) => {
    if (value === null) return "–";
    if (typeof value !== "number") return String(value);
    if (Number.isInteger(value)) return value.toLocaleString("en");
    return Math.abs(value) >= 1e-4 && Math.abs(value) < 1e6 ? String(Number(value.toPrecision(5))) : value.toExponential(3);
  };

  function fillTable(figure) {
    const details = figure.node.querySelector("details.numbers");
    const target = figure.node.querySelector("[data-table]");
    target.replaceChildren();
    if (!details.open) return;
    const rows = rowsOf(figure);
    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    const numeric = figure.payload.columns.map((_, place) => rows.some((row) => typeof row[place] === "number"));
    figure.payload.columns.forEach((name, place) => {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = name.replaceAll("_", " ");
      if (numeric[place]) cell.className = "number";
      head.append(cell);
    });
    const body = table.createTBody();
    for (const row of rows.slice(0, MOST_TABLE_ROWS)) {
      const line = body.insertRow();
      row.forEach((value, place) => {
        const cell = line.insertCell();
        cell.textContent = formatted(value);
        if (numeric[place]) cell.className = "number";
      });
    }
    if (rows.length > MOST_TABLE_ROWS) {
      table.createCaption().textContent = `The first ${MOST_TABLE_ROWS.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows; CSV has all.`;
    }
    target.append(table);
  }

  function save(name, blob) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // A spreadsheet would run text that begins like a formula.
  const harmless = (value) => (typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value));
  const quoted = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  function csv(figure) {
    const lines = [figure.payload.columns, ...rowsOf(figure)];
    return lines.map((row) => row.map((value) => (value === null ? "" : quoted(harmless(value)))).join(",")).join("\r\n") + "\r\n";
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

  // Links to the sections say which one is being read.
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const reading = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      links.forEach((link) => link.removeAttribute("aria-current"));
      links.get(target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  document.querySelectorAll("main > section").forEach((section) => reading.observe(section));

  // Paper is white. Printing does not wait for charts to be drawn anew, so those of a dark page change their colours where they
  // stand. Cells of heat maps, whose colours are mixtures, and the numbers on them stay as they are.
  function forPaper() {
    if (!print.matches) {
      drawAll();
      return;
    }
    const light = new Map(Object.entries(PALETTES.dark).map(([name, value]) => [value, PALETTES.light[name]]));
    for (const figure of figures.filter(({ chart }) => chart.dataset.theme === "dark")) {
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
  print.addEventListener("change", forPaper);

  chooseSample?.addEventListener("change", drawAll);
  chooseRun?.addEventListener("change", drawAll);
  dark.addEventListener("change", drawAll);
  let waiting;
  new ResizeObserver(() => {
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 120);
  }).observe(document.querySelector("main"));
  drawAll();
})();
