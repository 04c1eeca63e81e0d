// Entities: a click on one shows what is known of it, beside it. Without script, or with Ctrl, its link leads to a page.

import { renew } from "./live.js";

const panel = document.getElementById("entity");
const detail = () => document.getElementById("detail");
const isOpen = () => Boolean(panel?.matches(":popover-open"));

// Along the entities of the row that the grid's cursor is on: one stop of the keyboard for the whole table.
export class Along {
  constructor(grid) {
    this.grid = grid;
    this.link = null;
  }

  get here() {
    return this.link?.isConnected ? this.link.id : undefined;
  }

  links() {
    const row = this.grid.drawn.get(this.grid.cursor);
    const all = [...(row?.querySelectorAll("a.en") ?? [])];
    return all.filter((link, at) => all.findIndex((other) => other.href === link.href) === at);
  }

  step(by) {
    const links = this.links();
    if (!links.length || (by < 0 && !this.link)) return false;
    const at = links.indexOf(this.link) + by;
    this.leave();
    if (at >= 0) this.enter(links[Math.min(at, links.length - 1)]);
    this.grid.paint();
    return true;
  }

  enter(link) {
    this.link = link;
    link.classList.add("here");
    link.id = "entity-here";
    link.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  leave() {
    this.link?.classList.remove("here");
    this.link?.removeAttribute("id");
    this.link = null;
  }

  open() {
    if (!this.here) return false;
    this.link.click();
    return true;
  }
}

function place(link) {
  const at = link.getClientRects()[0] ?? link.getBoundingClientRect();
  const { width, height } = panel.getBoundingClientRect();
  const below = at.bottom + 6;
  const top = below + height < innerHeight ? below : Math.max(8, at.top - height - 6);
  panel.style.top = `${top}px`;
  panel.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
}

async function show(link) {
  const beside = detail()?.dataset.id;
  panel.replaceChildren();
  await renew(`${link.getAttribute("href")}${beside ? `&beside=${beside}` : ""}`, panel, "innerHTML");
  if (!panel.firstElementChild) {
    location.assign(link.href);
    return;
  }
  if (!isOpen()) panel.showPopover();
  place(link);
  panel.scrollTop = 0;
  panel.focus({ preventScroll: true });
}

async function copy(button) {
  const words = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(words);
  } catch {
    // Browsers keep the clipboard from pages that came without TLS; the older way still works there.
    const field = document.createElement("textarea");
    field.value = words;
    (panel?.matches(":popover-open") ? panel : document.body).append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  button.querySelector(".said").textContent = "copied";
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[data-copy]");
  if (button) {
    copy(button);
    return;
  }
  const link = event.target.closest?.("a.en");
  if (!link || !panel?.showPopover || !window.htmx || panel.contains(link)) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  show(link);
});

// The panel's keys are its own: `c` closes no alerts while one reads what an address is.
document.addEventListener(
  "keydown",
  (event) => {
    if (!isOpen()) return;
    if (event.key === "Escape") {
      event.preventDefault();
      panel.hidePopover();
      event.stopPropagation();
    } else if (panel.contains(document.activeElement)) {
      event.stopPropagation();
    }
  },
  true,
);

// An alertgroup is shown before it is counted: once its entities are, the marks get their numbers. The news of it may
// come before this page listens, so it is asked for, too.
setInterval(() => {
  const waiting = document.querySelector("#entities[data-waits]");
  if (waiting && document.visibilityState === "visible") renew(`${detail().dataset.url}/now${location.search}`, detail(), "none");
}, 3000);
document.addEventListener("htmx:after:swap", () => {
  const counted = new Map();
  for (const link of document.querySelectorAll("#entities a.en")) counted.set(link.getAttribute("href"), link);
  if (!counted.size) return;
  for (const link of document.querySelectorAll("#detail a.en")) {
    const known = counted.get(link.getAttribute("href"));
    if (!known || known === link || known.title === link.title) continue;
    link.title = known.title;
    if (link.hasAttribute("data-n")) link.dataset.n = known.dataset.n;
  }
});
