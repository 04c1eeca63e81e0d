// Saved views: how many alertgroups each means, and which query "+ save" would keep.

import { sparingly } from "./live.js";

const nav = document.getElementById("views");
const form = document.getElementById("save-view");
const NEWEST = "-received";
let later = 0;

async function count() {
  const shown = [...document.querySelectorAll("[data-count]")];
  const ids = new Set(shown.map((place) => place.dataset.count));
  if (!ids.size || document.visibilityState !== "visible") return;
  clearTimeout(later);
  try {
    const answer = await fetch(`/views/counts?ids=${[...ids].join(",")}`, { credentials: "same-origin" });
    if (!answer.ok) return;
    const { counts, again } = await answer.json();
    for (const place of shown) {
      const known = counts[place.dataset.count];
      if (!known) continue;
      if (place.textContent !== known.text) place.textContent = known.text;
      place.title = known.words;
    }
    if (again) later = setTimeout(count, 3000);
  } catch {
    // The stream says when the server is back, and then they are counted again.
  }
}

// The list is asked anew without a new page: what would be saved, and which view is looked at, go with the address.
function follow() {
  const { pathname, search } = location;
  const asked = new URLSearchParams(search);
  const [query, sort] = [asked.get("q") ?? "", asked.get("sort") ?? NEWEST];
  for (const [name, value] of Object.entries({ query, sort, next: pathname + search })) form.elements[name].value = value;
  for (const link of nav.querySelectorAll("a[data-view]")) {
    const leads = new URL(link.href).searchParams;
    const here = (leads.get("q") ?? "") === query && (leads.get("sort") ?? NEWEST) === sort;
    if (here) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

if (document.querySelector("[data-count]")) {
  count();
  // Not at once: the server keeps a count for two seconds, and what is new is indexed meanwhile.
  document.addEventListener("tocsin:news", () => sparingly("views", 10000, () => setTimeout(count, 2500)));
  // Spans of time move on even when nothing arrives.
  setInterval(count, 60000);
}

if (nav) {
  document.addEventListener("htmx:after:swap", () => setTimeout(follow));
  document.addEventListener("click", ({ target }) => {
    for (const menu of nav.querySelectorAll("details[open]")) if (!menu.contains(target)) menu.open = false;
  });
  nav.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest("details[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  for (const menu of nav.querySelectorAll("details")) {
    menu.addEventListener("toggle", () => menu.open && menu.querySelector("#view-name")?.focus());
  }
}
