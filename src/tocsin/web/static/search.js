// The search box: what may be typed next is offered under it (WAI-ARIA 1.2, combobox with a listbox).

const WAIT_MS = 120;
const box = document.getElementById("search");
const trouble = document.getElementById("trouble");
const list = document.createElement("ul");
let offers = [];
let active = -1;
let timer = 0;

// The server counts characters, a box counts UTF-16 units.
const characters = (text) => [...text].length;
const units = (text, count) => [...text].slice(0, count).join("").length;

function close() {
  clearTimeout(timer);
  offers = [];
  active = -1;
  list.hidden = true;
  list.replaceChildren();
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
}

function mark(at) {
  active = at;
  for (const [n, option] of [...list.children].entries()) {
    option.setAttribute("aria-selected", String(n === at));
    if (n === at) option.scrollIntoView({ block: "nearest" });
  }
  if (at < 0) box.removeAttribute("aria-activedescendant");
  else box.setAttribute("aria-activedescendant", list.children[at].id);
}

function optionOf({ text, about }, at) {
  const option = document.createElement("li");
  option.id = `offer-${at}`;
  option.setAttribute("role", "option");
  const words = document.createElement("bdi");
  words.textContent = text;
  const more = document.createElement("span");
  more.textContent = about;
  option.append(words, more);
  return option;
}

function show(found) {
  const typed = box.value;
  const same = ({ start, end, text }) => [...typed].slice(start, end).join("") === text;
  if (!found.length || (found.length === 1 && same(found[0]))) {
    close();
    return;
  }
  offers = found;
  list.replaceChildren(...found.map(optionOf));
  list.hidden = false;
  list.scrollTop = 0;
  box.setAttribute("aria-expanded", "true");
  mark(-1);
}

async function ask() {
  const { value, selectionStart, selectionEnd } = box;
  if (selectionStart !== selectionEnd) return;
  const query = new URLSearchParams({ q: value, at: characters(value.slice(0, selectionStart)) });
  try {
    const answer = await fetch(`${box.dataset.complete ?? "/alerts/complete"}?${query}`, { credentials: "same-origin" });
    const found = answer.ok ? (await answer.json()).offers : [];
    const still = document.activeElement === box && box.value === value && box.selectionStart === selectionStart;
    if (still) show(found);
  } catch {
    close(); // Offers are a courtesy: the box is typed into all the same.
  }
}

function take(at) {
  const { start, end, text } = offers[at];
  const goesOn = /[:.{]$/.test(text);
  const [from, to] = [units(box.value, start), units(box.value, end)];
  const gap = goesOn || /^[\s)]/.test(box.value.slice(to)) ? "" : " ";
  close();
  box.setRangeText(text + gap, from, to, "end");
  box.focus();
  if (goesOn) ask();
}

// Tab takes what completes a word that was begun; else it goes on to the next field, as everywhere.
function taken() {
  if (active >= 0) return active;
  return offers.length && offers[0].start < offers[0].end ? 0 : -1;
}

const KEYS = {
  ArrowDown: () => (list.hidden ? ask() : mark((active + 1) % offers.length)),
  ArrowUp: () => !list.hidden && mark((active < 0 ? offers.length : active) - 1),
  Enter: () => active >= 0 && take(active),
  Tab: () => !list.hidden && taken() >= 0 && take(taken()),
  Escape: () => !list.hidden && close(),
};

function pressed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.isComposing) return;
  const act = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : undefined;
  if (act && act() !== false) event.preventDefault();
  else if (event.key === "Enter") close();
}

// What a tag, source or status of the list says, as a condition; quotes keep signs in it from meaning anything.
function conditionOf(target) {
  const line = target.closest("#groups tr[data-id]");
  if (!line) return "";
  const status = target.closest(".st");
  if (status) return `status:${status.querySelector(".sr").textContent.split(":")[0]}`;
  const tag = target.closest(".tag");
  const source = tag ? null : target.closest(".meta > bdi");
  const said = (tag ?? source)?.textContent.replaceAll(/[\\"]/g, "\\$&");
  return said ? `${tag ? "tag" : "source"}:"${said}"` : "";
}

function add(condition) {
  const typed = box.value.trim();
  const kept = /\bor\b|\|\|/i.test(typed) ? `(${typed})` : typed;
  box.value = kept ? `${kept} and ${condition}` : condition;
  box.form.requestSubmit();
}

if (box) {
  list.id = "offers";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "What may be typed next");
  list.hidden = true;
  box.after(list);
  for (const [name, value] of [["role", "combobox"], ["aria-controls", "offers"], ["aria-autocomplete", "list"]]) {
    box.setAttribute(name, value);
  }
  close();
  box.addEventListener("keydown", pressed);
  box.addEventListener("input", (event) => {
    clearTimeout(timer);
    if (!event.isComposing) timer = setTimeout(ask, WAIT_MS);
  });
  box.addEventListener("blur", close);
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("li");
    if (option) take([...list.children].indexOf(option));
  });
  document.addEventListener(
    "click",
    (event) => {
      const condition = event.altKey && conditionOf(event.target);
      if (!condition) return;
      event.preventDefault();
      event.stopPropagation();
      add(event.shiftKey ? `not ${condition}` : condition);
    },
    true,
  );
  new MutationObserver(() => {
    if (trouble.querySelector(".where")) box.setAttribute("aria-invalid", "true");
    else box.removeAttribute("aria-invalid");
  }).observe(trouble, { childList: true, subtree: true });
}
