// The colours of both themes: charts name them, and the reader's theme says which they are.

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

const dark = matchMedia("(prefers-color-scheme: dark)");
const print = matchMedia("print");
const themeName = () => (dark.matches && !print.matches ? "dark" : "light");

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
