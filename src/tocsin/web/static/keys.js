// The keys of the footer. They press the same buttons and follow the same links as a mouse does.

import { currentRow, linkOf, step } from "./list.js";
import { gridHere } from "./grid.js";

const help = document.getElementById("help");

function press(id) {
  const button = document.getElementById(id);
  if (!button || button.hidden || button.disabled) return false;
  button.click();
  return true;
}

const KEYS = {
  "?": () => help && (help.open ? help.close() : help.showModal()),
  "/": () => document.getElementById("search")?.select(),
  c: () => press("close"),
  f: () => press("close-false"),
  o: () => press("open"),
  z: () => press("undo"),
  n: () => press("news"),
  j: () => step(1),
  k: () => step(-1),
  x: () => gridHere()?.enter()?.toggle(),
  Enter: () => {
    const focused = document.activeElement;
    if (focused !== document.body && !currentRow()?.contains(focused)) return false;
    return Boolean(gridHere()?.enter());
  },
};

function writing(element) {
  return element?.matches?.('input:not([type="checkbox"]), textarea, select, [contenteditable]');
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey) return;
  const inside = document.activeElement?.closest?.("#rows");
  if (writing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (help?.open) {
    if (event.key === "?") help.close();
    return;
  }
  if (inside && gridHere()?.key(event)) {
    event.preventDefault();
    return;
  }
  if (event.ctrlKey || event.metaKey) return;
  if (event.key === "Escape") {
    if (gridHere()?.picked.size) gridHere().picked.none();
    else if (inside) linkOf(currentRow())?.focus();
    return;
  }
  const act = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : undefined;
  if (act && act() !== false) event.preventDefault();
});
