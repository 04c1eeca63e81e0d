// What every page does beyond showing itself. Without any of this the pages can still be read and used.

import "./times.js";
import "./live.js";
import "./list.js";
import "./views.js";
import "./search.js";
import "./grid.js";
import "./entity.js";
import "./keys.js";

const root = document.documentElement;

function dark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

document.getElementById("theme")?.addEventListener("click", (event) => {
  event.preventDefault();
  root.dataset.theme = dark() ? "light" : "dark";
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `tocsin_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax${secure}`;
});

// A new attempt clears what the last one complained about; an answer that never came is named.
document.addEventListener("htmx:before:request", () => alarm(""));
document.addEventListener("htmx:error", (event) => {
  if (event.detail?.ctx?.background) return;
  alarm("Tocsin does not answer. Nothing was changed; it will be tried again when you try again.");
});

function alarm(words) {
  const place = document.getElementById("alarm");
  place.replaceChildren();
  if (!words) return;
  const said = document.createElement("p");
  said.className = "problem";
  said.setAttribute("role", "alert");
  said.textContent = words;
  place.append(said);
}
