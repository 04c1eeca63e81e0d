// The rows of the chosen alertgroup: a real table that the server drew, made quick for ten thousand rows.
//
// All rows have one height, so where a row stands follows from its number; only those in sight (and some beyond) are
// in the document. Rows that the server has not sent yet are fetched behind the last one known, a thousand at a time.

import { cellNodes } from "./text.js";
import { asRanges, fromRanges } from "./ranges.js";
import { Picked } from "./picked.js";
import { renew } from "./live.js";
import { Along } from "./entity.js";

const BEYOND = 8;
const CHUNK = 1000;
const VIRTUAL_FROM = 101;
let grid = null;

export const gridHere = () => grid;

class Grid {
  constructor(place) {
    this.place = place;
    this.table = place.querySelector("table");
    this.body = this.table.tBodies[0];
    this.columns = this.table.rows[0].cells.length;
    this.total = Number(document.getElementById("counts").dataset.total);
    this.drawn = new Map();
    this.rows = [...this.body.rows].map((row, at) => this.adopt(row, at));
    this.sent = this.rows.length;
    this.more = place.dataset.more === "yes";
    this.partial = place.dataset.partial === "yes";
    this.cursor = 0;
    this.along = new Along(this);
    this.picked = new Picked(this);
    this.mayPick = Boolean(document.getElementById("close"));
    this.virtual = !this.partial && this.total >= VIRTUAL_FROM;
    this.equip();
    if (this.virtual) this.measure();
    this.paint();
  }

  adopt(element, at) {
    this.drawn.set(at, element);
    const id = Number(element.dataset.id);
    return { id, status: element.querySelector(".st").textContent, cells: null };
  }

  equip() {
    const { table, place } = this;
    place.removeAttribute("tabindex");
    place.removeAttribute("role");
    table.tabIndex = 0;
    table.setAttribute("role", "grid");
    table.setAttribute("aria-label", place.getAttribute("aria-label"));
    if (this.mayPick) table.setAttribute("aria-multiselectable", "true");
    place.addEventListener("click", (event) => this.clicked(event));
    place.addEventListener("dblclick", (event) => event.target.closest("tr[data-id]") && this.open());
    place.addEventListener("scroll", () => this.virtual && this.scrolled(), { passive: true });
    table.addEventListener("focus", () => this.paint());
    table.addEventListener("blur", () => this.paint());
  }

  // Column widths must not change while rows come and go, so the first rows decide them.
  measure() {
    const first = this.drawn.get(0);
    this.height = first ? first.getBoundingClientRect().height : 30;
    const widths = [...this.table.rows[0].cells].map((cell) => cell.getBoundingClientRect().width);
    const columns = document.createElement("colgroup");
    for (const width of widths) {
      const column = document.createElement("col");
      column.style.width = `${Math.ceil(width)}px`;
      columns.append(column);
    }
    this.table.prepend(columns);
    this.table.style.width = `${Math.ceil(widths.reduce((sum, width) => sum + width, 0))}px`;
    this.table.style.tableLayout = "fixed";
    this.above = this.gap();
    this.below = this.gap();
  }

  gap() {
    const row = document.createElement("tr");
    row.className = "gap";
    row.setAttribute("aria-hidden", "true");
    row.append(document.createElement("td"));
    row.firstChild.colSpan = this.columns;
    return row;
  }

  scrolled() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  inSight() {
    if (!this.virtual) return [0, this.rows.length];
    const first = Math.floor(this.place.scrollTop / this.height) - BEYOND;
    const shown = Math.ceil(this.place.clientHeight / this.height) + 2 * BEYOND;
    const from = Math.max(0, Math.min(first, this.total - shown));
    return [from, Math.min(this.total, from + shown)];
  }

  paint() {
    const [from, to] = this.inSight();
    if (this.virtual) {
      this.put(from, to);
      for (const at of this.drawn.keys()) if (at >= this.sent && (at < from - 200 || at > to + 200)) this.drawn.delete(at);
      if (to > this.rows.length && this.more) this.fetch();
    }
    for (let at = from; at < to; at += 1) this.dress(at);
  }

  // Rows that stay in sight stay in the document; only what comes and goes is touched.
  put(from, to) {
    const wanted = [];
    for (let at = from; at < to; at += 1) wanted.push(this.element(at));
    const keep = new Set(wanted);
    for (const row of [...this.body.rows]) {
      if (!keep.has(row) && row !== this.above && row !== this.below) row.remove();
    }
    if (!this.above.isConnected) this.body.prepend(this.above);
    let last = this.above;
    for (const row of wanted) {
      if (last.nextSibling !== row) last.after(row);
      last = row;
    }
    if (last.nextSibling !== this.below) last.after(this.below);
    this.above.firstChild.style.height = `${from * this.height}px`;
    this.below.firstChild.style.height = `${(this.total - to) * this.height}px`;
  }

  element(at) {
    const row = this.rows[at];
    let element = this.drawn.get(at);
    if (element && (element.dataset.id || !row)) return element;
    element = row ? this.draw(row, at) : this.placeholder(at);
    this.drawn.set(at, element);
    return element;
  }

  placeholder(at) {
    const row = document.createElement("tr");
    row.setAttribute("aria-rowindex", at + 2);
    const cell = document.createElement("td");
    cell.colSpan = this.columns;
    cell.textContent = "…";
    row.append(cell);
    return row;
  }

  draw(row, at) {
    const element = document.createElement("tr");
    element.dataset.id = row.id;
    element.setAttribute("aria-rowindex", at + 2);
    const [pick, status, id] = [0, 1, 2].map(() => document.createElement("td"));
    pick.className = "pick";
    if (this.mayPick) {
      const box = document.createElement("input");
      Object.assign(box, { type: "checkbox", name: "alert", value: row.id, tabIndex: -1 });
      box.setAttribute("form", "act");
      box.setAttribute("aria-label", `Alert ${row.id}`);
      pick.append(box);
    }
    status.append(document.createElement("span"));
    const link = document.createElement("a");
    link.href = `${document.getElementById("detail").dataset.url}?alert=${row.id}#record`;
    link.textContent = row.id;
    id.append(link);
    element.append(pick, status, id);
    for (const cell of row.cells) {
      const place = document.createElement("td");
      place.append(...cellNodes(cell, row.marks));
      element.append(place);
    }
    return element;
  }

  // What may change about a row that stands: its status, whether it is picked, whether the cursor is on it.
  dress(at) {
    const row = this.rows[at];
    const element = this.drawn.get(at);
    if (!row || !element) return;
    const sign = element.querySelector(".st") ?? element.cells[1].firstChild;
    if (sign.textContent !== row.status) {
      sign.className = `st ${row.status}`;
      sign.textContent = row.status;
    }
    const picked = this.picked.has(row.id);
    if (this.mayPick) {
      element.setAttribute("aria-selected", picked);
      const box = element.querySelector('input[type="checkbox"]');
      box.checked = picked;
      box.tabIndex = -1;
    }
    const here = at === this.cursor && document.activeElement === this.table;
    element.classList.toggle("cursor", here);
    element.id = `a${row.id}`;
    if (here) this.table.setAttribute("aria-activedescendant", this.along.here ?? element.id);
  }

  async fetch() {
    this.fetching ??= (async () => {
      const after = this.rows.at(-1)?.id ?? 0;
      const answer = await fetch(`${this.place.dataset.url}?after=${after}&limit=${CHUNK}`);
      if (!answer.ok) throw new Error(`rows: ${answer.status}`);
      const { rows, more, marks } = await answer.json();
      for (const [id, status, cells] of rows) this.rows.push({ id, status, cells, marks });
      this.more = more && rows.length > 0;
    })();
    try {
      await this.fetching;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 2000));
    } finally {
      this.fetching = null;
    }
    if (this.place.isConnected) this.paint();
  }

  async have(at) {
    while (this.more && this.rows.length <= at && this.place.isConnected) await this.fetch();
  }

  enter() {
    if (!this.rows.length) return null;
    this.table.focus({ preventScroll: true });
    this.reveal();
    return this;
  }

  toggle() {
    this.picked.toggle(this.cursor);
  }

  // The cursor goes where somebody pointed.
  stand(at) {
    this.along.leave();
    this.cursor = at;
    this.table.focus({ preventScroll: true });
    this.paint();
  }

  async to(at, extend = false) {
    this.along.leave();
    this.cursor = Math.max(0, Math.min(this.total - 1, at));
    await this.have(this.cursor);
    this.cursor = Math.min(this.cursor, this.rows.length - 1);
    if (extend) this.picked.extend(this.cursor);
    else this.picked.anchor = this.cursor;
    this.reveal();
  }

  reveal() {
    if (this.virtual) {
      const head = this.table.tHead.getBoundingClientRect().height;
      const top = this.cursor * this.height;
      const room = this.place.clientHeight - head - this.height;
      if (top < this.place.scrollTop) this.place.scrollTop = top;
      else if (top > this.place.scrollTop + room) this.place.scrollTop = top - room;
    } else {
      this.drawn.get(this.cursor)?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    this.paint();
  }

  clicked(event) {
    const element = event.target.closest("tr[data-id]");
    const link = event.target.closest("a");
    if (link?.matches(".en")) {
      if (link !== this.along.link) this.stand(this.at(element));
      return;
    }
    if (link) {
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey && window.htmx) {
        event.preventDefault();
        this.cursor = this.at(element);
        this.open();
      }
      return;
    }
    if (!element || !this.mayPick) return;
    const box = event.target.closest('input[type="checkbox"]');
    if (!box && String(getSelection()) && !event.shiftKey) return;
    if (event.shiftKey) getSelection().removeAllRanges();
    this.cursor = this.at(element);
    if (event.shiftKey) this.picked.extend(this.cursor);
    else if (box || event.ctrlKey || event.metaKey) this.picked.toggle(this.cursor);
    else this.picked.only(this.cursor);
    this.table.focus({ preventScroll: true });
    this.paint();
  }

  at(element) {
    return Number(element.getAttribute("aria-rowindex")) - 2;
  }

  async open() {
    const row = this.rows[this.cursor];
    if (!row || !window.htmx) return;
    const address = `${document.getElementById("detail").dataset.url}?alert=${row.id}`;
    await renew(address, "#record", "innerHTML");
    document.getElementById("record").scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.place.clientHeight / (this.height ?? 30)) - 2);
    const steps = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1, PageDown: page, PageUp: -page };
    if ((event.ctrlKey || event.metaKey) && event.key === "a") {
      if (this.mayPick) this.picked.all();
      return true;
    }
    if (event.ctrlKey || event.metaKey) return false;
    if (Object.hasOwn(steps, event.key)) this.to(this.cursor + steps[event.key], event.shiftKey);
    else if (event.key === "Home") this.to(0, event.shiftKey);
    else if (event.key === "End") this.to(this.total - 1, event.shiftKey);
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft") return this.along.step(event.key === "ArrowRight" ? 1 : -1);
    else if (event.key === "Enter") this.along.open() || this.open();
    else if (event.key === "x" || event.key === " ") this.mayPick && this.toggle();
    else return false;
    return true;
  }

  // The statuses that the server counted after a change.
  recolour() {
    const { dataset } = document.getElementById("counts");
    for (const status of ["open", "closed", "promoted"]) {
      if (!dataset[status]) continue;
      const ids = dataset[status] === "all" ? null : fromRanges(dataset[status]);
      for (const row of this.rows) if (!ids || ids.has(row.id)) row.status = status;
    }
    this.picked.say();
    this.paint();
  }
}

function settle() {
  const place = document.getElementById("rows");
  if (!place) {
    grid = null;
  } else if (grid?.place !== place) {
    grid = new Grid(place);
    grid.picked.say();
  } else {
    grid.recolour();
  }
}

document.addEventListener("formdata", ({ target, formData }) => {
  if (target.id !== "act" || !grid) return;
  formData.delete("alert");
  if (grid.picked.size && grid.picked.size < grid.total) formData.set("alerts", asRanges(grid.picked.ids));
});
document.addEventListener("htmx:after:swap", settle);
settle();
