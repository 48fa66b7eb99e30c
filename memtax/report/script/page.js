// The page as a whole: where the reader is, and when charts are drawn. The last part to run; it starts the drawing.

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
