// Flows over time as a chart. The same numbers stand below it as a table, and each of its rows leads to its flows.

const root = document.documentElement;
const scheme = matchMedia("(prefers-color-scheme: dark)");
const charts = new Map();

// What a colour of ours is now, light or dark, as a canvas takes it.
function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const numbers = (text) => text.split(",").map(Number);
const tens = (high) => [0, ...[1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9].filter((n) => n <= high)];
const iso = (seconds) => new Date(Math.round(seconds) * 1000).toISOString().replace(".000Z", "Z");

// Times of the axis in the reader's zone; the day where it is another than at the mark before.
const day = new Intl.DateTimeFormat("sv-SE", { year: "numeric", month: "2-digit", day: "2-digit" });
const hour = new Intl.DateTimeFormat("sv-SE", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const second = new Intl.DateTimeFormat("sv-SE", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
function marks(times, apart) {
  const at = (seconds) => new Date(seconds * 1000);
  return times.map((time, n) => {
    const today = day.format(at(time));
    if (apart >= 86400) return today;
    const shown = (apart < 60 ? second : hour).format(at(time));
    return n && day.format(at(times[n - 1])) === today ? shown : `${shown}\n${today}`;
  });
}

function look(chart, place) {
  const { left, width } = chart.select;
  if (width < 4) return;
  const { step, start, query } = place.dataset;
  const at = (pixels) => chart.posToVal(pixels, "x");
  const [first, last] = [at(left), at(left + width)].map((x) => Math.floor((x - start) / step) * step + Number(start));
  const wanted = new URLSearchParams({ since: iso(first), until: iso(last + Number(step)) });
  if (query) wanted.set("query", query);
  location.assign(`/flows?${wanted}`);
}

function draw(place) {
  const { start, step, flows, labelled } = place.dataset;
  const all = numbers(flows);
  const times = all.map((_, n) => Number(start) + n * step);
  const [ink, edge, open, line] = ["soft", "edge", "open", "line2"].map(colour);
  const bars = window.uPlot.paths.bars({ size: [0.86, 60], align: 1 });
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "11px system-ui" };
  const series = (label, fill) => ({ label, fill, stroke: fill, width: 0, paths: bars, points: { show: false } });
  const chart = new window.uPlot(
    {
      width: Math.max(280, place.clientWidth),
      height: place.clientHeight,
      legend: { show: false },
      cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false }, y: false },
      // As a logarithm above some, so that a few among many are seen; zero stays zero.
      scales: {
        x: { time: true, range: (_, low, high) => [low, high + Number(step)] },
        y: { distr: 4, range: (_, __, high) => [0, Math.max(1, high) * 1.15] },
      },
      axes: [{ ...axis, space: 80, values: (_, times, __, ___, apart) => marks(times, apart) }, { ...axis, size: 64, splits: (_, __, low, high) => tens(high), values: (_, all) => all.map((n) => n?.toLocaleString("en") ?? "") }],
      series: [{}, series("all", edge), series("named by alerts", open)],
      hooks: { setSelect: [(made) => look(made, place)] },
    },
    [times, all, numbers(labelled)],
    place,
  );
  chart.root.querySelector("canvas").setAttribute("role", "img");
  chart.root.querySelector("canvas").setAttribute("aria-label", "Flows over time; the table below says the same");
  charts.set(place, chart);
}

function drawAll() {
  for (const [place, chart] of charts) {
    if (place.isConnected) continue;
    chart.destroy();
    charts.delete(place);
  }
  for (const place of document.querySelectorAll(".plot")) if (!charts.has(place)) draw(place);
}

function drawAnew() {
  for (const chart of charts.values()) chart.destroy();
  charts.clear();
  drawAll();
}

let waiting = 0;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(drawAnew, 150);
});
document.addEventListener("DOMContentLoaded", drawAll);
document.addEventListener("htmx:after:swap", drawAll);
scheme.addEventListener("change", drawAnew);
new MutationObserver(drawAnew).observe(root, { attributes: true, attributeFilter: ["data-theme"] });
