// One chart: its specification fitted to a theme and a width, and drawn.

// Pixels: of a character, and of what there is for a label below and beside an axis.
const CHARACTER = 7;
const LABEL_BELOW = 165;
const LABEL_OF_LEGEND = 220;
// Of names that stand aslant, from one to the next.
const LINE = 20;
// Of so many bars in a panel each can be seen; of so many numbers each is marked on an axis.
const MOST_BARS = 30;
const MOST_TICKS = 12;
const roomForLabels = (width) => Math.max(105, Math.min(220, width * 0.32));

function config(palette, width) {
  const labels = roomForLabels(width);
  return {
    background: "transparent", aria: false, font: 'system-ui, "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif',
    view: { stroke: null, continuousHeight: 260 },
    axis: {
      labelColor: palette.ink, titleColor: palette.muted, domainColor: palette.muted, tickColor: palette.muted, gridColor: palette.line,
      gridOpacity: 0.7, labelFontSize: 11.5, titleFontSize: 12, titleFontWeight: "normal", labelLimit: labels,
      labelSeparation: 4,
    },
    axisX: { labelLimit: LABEL_BELOW },
    header: { labelColor: palette.ink, titleColor: palette.muted, labelFontSize: 12.5 },
    legend: { labelColor: palette.ink, titleColor: palette.muted, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", labelLimit: LABEL_OF_LEGEND, symbolLimit: 0, symbolSize: 90 },
    text: { color: palette.ink }, facet: { spacing: { row: 24, column: 18 } }, concat: { spacing: { row: 28, column: 30 } },
  };
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
    const { label, longest } = fitted(names.map(String), Math.floor(LABEL_OF_LEGEND / CHARACTER), "datum.label");
    if (label !== "datum.label") value.legend.labelExpr = label;
    value.legend.columns = Math.max(1, Math.floor((width - 60) / (CHARACTER * longest + 34)));
  }
  Object.values(value).forEach((part) => legends(part, width));
}

// How many characters all names begin and end with, to the last mark between words: pythia- of pythia-1b and pythia-12b.
function shared(names) {
  if (names.length < 2) return [0, 0];
  const common = (texts) => {
    let n = 0;
    while (n < texts[0].length && texts.every((text) => text[n] === texts[0][n])) n += 1;
    while (n > 0 && /[\p{L}\p{N}.]/u.test(texts[0][n - 1])) n -= 1;
    return n;
  };
  const first = common(names.map((name) => name.split("")));
  return [first, common(names.map((name) => name.slice(first).split("").reverse()))];
}

// An expression for names of at most so many characters, and how long the longest then is: those that are too long lose what all
// share, and then their middle.
function fitted(names, most, given) {
  let longest = Math.max(...names.map((name) => name.length));
  if (longest <= most) return { label: given, longest };
  let label = given;
  if (given === "datum.label") {
    const [first, last] = shared(names);
    label = `${first ? '"…" + ' : ""}slice(${label}, ${first}, length(${label}) - ${last})${last ? ' + "…"' : ""}`;
    longest -= first + last - 2;
  }
  const tail = Math.floor((most - 1) / 2);
  label = `length(${label}) > ${most} ? slice(${label}, 0, ${most - 1 - tail}) + "…" + slice(${label}, -${tail}) : (${label})`;
  return { label, longest: Math.min(most, longest) };
}

// Names beside and below an axis are cut to fit; those that do not fit below side by side stand aslant, and of very many only
// some are there.
function fitNames(value, rows, each, width) {
  if (value === null || typeof value !== "object") return;
  for (const [channel, room] of [["x", LABEL_BELOW], ["y", roomForLabels(width)]]) {
    const encoded = value.encoding?.[channel];
    if (encoded?.type !== "nominal" || encoded.axis === null) continue;
    const axis = { ...encoded.axis };
    const most = Math.floor(room / CHARACTER);
    const names = [...new Set(rows.map((row) => String(row[encoded.field])))];
    const { label, longest } = fitted(names, most, axis.labelExpr ?? "datum.label");
    axis.labelExpr = label;
    if (channel === "x" && names.length * (longest * CHARACTER + 8) > each) axis.labelAngle ||= -40;
    const every = Math.ceil((names.length * LINE) / each);
    if (channel === "x" && names.length > MOST_BARS && every > 1) axis.values = names.filter((_, place) => place % every === 0);
    encoded.axis = axis;
  }
  Object.values(value).forEach((part) => fitNames(part, rows, each, width));
}

const distinct = (rows, field) => [...new Set(rows.map((row) => row[field]))];

// Bars side by side as areas. A tooltip would be that of the first bar, wherever the pointer is.
function asAreas(chart) {
  chart.mark = { type: "area", opacity: 1 };
  delete chart.encoding.tooltip;
}

// The numbers that are there are those that an axis marks: of two that are neighbours, Vega would mark the middle, and round it.
function mark(layers, field, values) {
  for (const { encoding } of layers) {
    if (encoding.x?.field === field) encoding.x.axis = { ...encoding.x.axis, values };
  }
}

// How many charts fit side by side, and the width of each.
function place(spec, rows, width, spare) {
  const { cell = width, columns: most = 1, along, ticks } = spec.usermeta ?? {};
  const field = spec.facet?.field;
  const panels = spec.concat?.length ?? (rows.length && field in rows[0] ? new Set(rows.map((row) => row[field])).size : most);
  const columns = Math.max(1, Math.min(most, panels, Math.floor(width / Math.min(cell, width))));
  const each = Math.max(90, Math.floor((width - (spare.get(columns) ?? 80 * (spec.concat ? columns : 1))) / columns));
  delete spec.usermeta;
  legends(spec, width);
  for (const part of spec.concat ?? [spec.spec ?? spec]) part.width = each;
  fitNames(spec, rows, each, width);
  if (along && distinct(rows, along).length > MOST_BARS) asAreas(spec.spec);
  if (ticks && distinct(rows, ticks).length <= MOST_TICKS) mark(spec.layer, ticks, distinct(rows, ticks));
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
