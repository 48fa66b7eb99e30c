// The figures, and what the reader has chosen to see in them.

const choices = JSON.parse(document.getElementById("choices").textContent);
const modelOf = new Map(choices.runs.map(({ run, model }) => [run, model]));
const chooseSample = document.getElementById("choose-sample");
const chooseRun = document.getElementById("choose-run");

function chosen(column) {
  if (column === "sample") return chooseSample.value;
  return column === "model" ? modelOf.get(chooseRun.value) : chooseRun.value;
}

// Figures that show the same rows share them.
const answers = new Map([...document.querySelectorAll("[data-answer]")].map((node) => [node.dataset.answer, JSON.parse(node.textContent)]));
function payloadOf(node) {
  const payload = JSON.parse(node.querySelector("[data-payload]").textContent);
  return { ...payload, ...answers.get(payload.question) };
}

const figures = [...document.querySelectorAll("figure")].filter((node) => node.querySelector("[data-payload]")).map((node) => ({
  node, chart: node.querySelector("[data-chart]"), canvas: node.querySelector("[data-canvas]"), payload: payloadOf(node),
  spare: new Map(), drawn: null,
}));

function rowsOf(figure) {
  const { columns, rows, follows } = figure.payload;
  const wanted = follows.map((column) => [columns.indexOf(column), chosen(column)]);
  return rows.filter((row) => wanted.every(([place, value]) => row[place] === value));
}
