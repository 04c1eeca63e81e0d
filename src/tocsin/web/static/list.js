// The list of alertgroups: choosing, filtering, and what arrives while one looks on.

import { fromUtc, toUtc } from "./times.js";
import { renew, sparingly } from "./live.js";

const MOST_SHOWN = 600;
const MOST_FETCHED = 200;
const MOST_LEFT_OUT = 2000;
const list = document.getElementById("list");
const filter = document.getElementById("filter");
const news = document.getElementById("news");
const scroller = list?.querySelector(".scroller");
const groups = () => document.getElementById("groups");
const detail = () => document.getElementById("detail");
const search = document.getElementById("search");
const waiting = new Set();
const asDrawn = new WeakMap();
let stale = false;
let changed = new Set();
let arrived = new Set();
// What arrived and the query left out: it may have been asked too early, before it stood in the index.
const leftOut = new Set();
let asking = new Set();
const indexed = new Set();
let drawn = groups();
let sent = "";

export const rowsOfList = () => [...(groups()?.querySelectorAll("tr[data-id]") ?? [])];
// Known by its id: the mark on it is put back only after a piece of the page was renewed.
export const currentRow = () => document.getElementById(`g${detail()?.dataset.id}`);
export const linkOf = (row) => row?.querySelector("a.subject");

function mark() {
  const id = detail()?.dataset.id;
  document.body.classList.toggle("chosen", Boolean(id));
  for (const row of groups()?.querySelectorAll("tr.current") ?? []) {
    row.classList.remove("current");
    linkOf(row).removeAttribute("aria-current");
  }
  const row = id && document.getElementById(`g${id}`);
  if (!row) return;
  row.classList.add("current");
  row.classList.remove("fresh");
  linkOf(row).setAttribute("aria-current", "true");
}

// Move along the list; the last of several quick steps is the one that is fetched.
export function step(by) {
  const rows = rowsOfList();
  if (!rows.length) return;
  const focused = document.activeElement?.closest?.("#groups tr[data-id]");
  const at = rows.indexOf(focused ?? currentRow());
  const row = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
  linkOf(row).focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  clearTimeout(step.timer);
  const { id } = row;
  step.timer = setTimeout(() => currentRow()?.id === id || linkOf(document.getElementById(id))?.click(), 90);
}

// Whether a new alertgroup belongs above the first row that is shown.
const newestFirst = () => groups().dataset.newestFirst === "yes" && groups().dataset.firstPage === "yes";

function atTop() {
  return getComputedStyle(scroller).overflowY === "visible" ? scrollY < 60 : scroller.scrollTop < 8;
}

function announce() {
  news.hidden = !waiting.size && !stale;
  if (!news.hidden) news.textContent = stale ? "Show the newest" : `${waiting.size.toLocaleString("en")} new`;
}

async function fetchLines(ids) {
  const query = groups().dataset.query;
  const answer = await fetch(`/alerts/news?ids=${ids.join(",")}${query ? `&${query}` : ""}`);
  if (!answer.ok) return [];
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  return [...holder.content.querySelectorAll("tr[data-id]")];
}

// A line that says the same as before stays, so that a click on it is not lost.
function replace(row) {
  const old = document.getElementById(row.id);
  const drawn = row.innerHTML;
  const same = old && asDrawn.get(old) === drawn;
  asDrawn.set(row, drawn);
  if (!old || same) return Boolean(old);
  if (old.classList.contains("fresh")) row.classList.add("fresh");
  const focused = old.contains(document.activeElement);
  old.replaceWith(row);
  window.htmx?.process(row);
  if (focused) linkOf(row).focus({ preventScroll: true });
  return true;
}

function insert(rows) {
  const body = groups();
  body.querySelector(".empty")?.closest("tr").remove();
  for (const row of rows.sort((a, b) => a.dataset.id - b.dataset.id)) {
    if (replace(row)) continue;
    row.classList.add("fresh");
    body.prepend(row);
    window.htmx?.process(row);
  }
  mark();
}

async function fetchNews() {
  const [seen, fresh] = [changed, arrived];
  [changed, arrived] = [new Set(), new Set()];
  const shown = [...seen].filter((id) => !fresh.has(id) && document.getElementById(`g${id}`)).slice(-MOST_FETCHED);
  try {
    if (shown.length) (await fetchLines(shown)).forEach(replace);
    mark();
    if (!fresh.size) return;
    if (fresh.size > MOST_FETCHED) {
      for (const id of fresh) waiting.add(id);
      announce();
      return;
    }
    asking = fresh;
    const found = await fetchLines([...fresh]);
    leaveOut(fresh, found);
    const rows = found.filter((row) => !document.getElementById(row.id));
    const roomy = rowsOfList().length + rows.length < MOST_SHOWN;
    if (newestFirst() && roomy && atTop() && !waiting.size) insert(rows);
    else for (const row of rows) waiting.add(Number(row.dataset.id));
    announce();
  } catch {
    for (const id of seen) changed.add(id);
    for (const id of fresh) arrived.add(id);
  }
}

function leaveOut(fresh, found) {
  const shown = new Set(found.map((row) => Number(row.dataset.id)));
  for (const id of fresh) {
    if (shown.has(id)) continue;
    if (indexed.has(id)) arrived.add(id);
    else leftOut.add(id);
  }
  for (const id of [...leftOut].slice(0, -MOST_LEFT_OUT)) leftOut.delete(id);
  asking = new Set();
  indexed.clear();
  if (arrived.size) sparingly("news", 700, fetchNews);
}

function nowIndexed(ids) {
  for (const id of ids) {
    if (asking.has(id)) indexed.add(id);
    if (leftOut.delete(id)) arrived.add(id);
  }
}

// After a new list: the box and the fields under the headers show what was asked, but for the one being typed into.
function fillIn() {
  if (groups() === drawn) return;
  drawn = groups();
  leftOut.clear();
  for (const [name, value] of Object.entries(JSON.parse(drawn.dataset.said))) {
    const field = filter.elements.namedItem(name);
    const typing = field === document.activeElement && !(field === search && field.value === sent);
    const shown = field?.type === "datetime-local" && value ? fromUtc(value) : value;
    if (field && !typing && field.value !== shown) field.value = shown;
  }
}

async function letIn() {
  const ids = [...waiting];
  const few = !stale && ids.length <= MOST_FETCHED && rowsOfList().length + ids.length < MOST_SHOWN;
  waiting.clear();
  stale = false;
  announce();
  scroller.scrollTo({ top: 0 });
  if (few && newestFirst()) insert(await fetchLines(ids));
  else await renew(`/alerts?${groups().dataset.query}`, "#groups");
}

if (list) {
  mark();
  list.addEventListener("click", (event) => {
    const row = event.target.closest("#groups tr[data-id]");
    if (!row || event.target.closest("a, button") || String(getSelection())) return;
    linkOf(row).focus({ preventScroll: true });
    linkOf(row).click();
  });
  news.addEventListener("click", letIn);
  scroller.addEventListener("scroll", () => (waiting.size || stale) && atTop() && letIn(), { passive: true });

  for (const field of list.querySelectorAll('input[type="datetime-local"]')) {
    if (field.getAttribute("value")) field.value = fromUtc(field.getAttribute("value"));
  }
  for (const zone of list.querySelectorAll(".zone")) zone.textContent = "(your time)";
  for (const quick of list.querySelectorAll(".quick button")) {
    quick.addEventListener("click", () => {
      for (const field of list.querySelectorAll('input[type="datetime-local"]')) field.value = "";
      quick.closest("details").open = false;
    });
  }
  filter.addEventListener("formdata", ({ formData }) => {
    for (const name of ["from", "to"]) formData.set(name, toUtc(formData.get(name) ?? ""));
    const kept = [...formData].filter(([name, value]) => value || name === "was");
    for (const name of new Set(formData.keys())) formData.delete(name);
    for (const [name, value] of kept) formData.append(name, value);
    if (formData.getAll("sort").at(-1) === "-received") formData.delete("sort");
  });
  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = event.detail;
    const id = detail()?.dataset.id;
    if (ctx.sourceElement === filter) sent = search.value;
    if (ctx.sourceElement === filter && id) ctx.request.action = `/alerts/${id}`;
  });
  document.addEventListener("htmx:after:swap", () => {
    fillIn();
    mark();
  });
  document.addEventListener("tocsin:news", ({ detail: { kind, ids } }) => {
    if (kind === "reset") {
      stale = true;
      if (atTop()) letIn();
      else announce();
    } else {
      if (kind === "indexed") nowIndexed(ids);
      else for (const id of ids) (kind === "created" ? arrived : changed).add(id);
      if (arrived.size || changed.size) sparingly("news", 700, fetchNews);
    }
    const chosen = detail()?.dataset.id;
    if (chosen && (kind === "reset" || ids.includes(Number(chosen)))) sparingly("chosen", 700, renewChosen);
  });
}

function renewChosen() {
  const { id } = detail().dataset;
  const query = groups().dataset.query;
  if (id) renew(`/alerts/${id}/now${query ? `?${query}` : ""}`, "#detail", "none");
}
