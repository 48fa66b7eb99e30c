// A figure's numbers, as a table and as CSV.

const MOST_TABLE_ROWS = 1000;

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

// A spreadsheet would run text that begins like a formula.
const harmless = (value) => (typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value));
const quoted = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
function csv(figure) {
  const lines = [figure.payload.columns, ...rowsOf(figure)];
  return lines.map((row) => row.map((value) => (value === null ? "" : quoted(harmless(value)))).join(",")).join("\r\n") + "\r\n";
}
