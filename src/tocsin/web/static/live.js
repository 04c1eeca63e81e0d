// What changes in the store, told to the page as it happens (Server-Sent Events).

const sign = document.getElementById("live");
const balance = () => document.getElementById("balance");
const timers = new Map();

// Do it now, and at most once in `wait` milliseconds: the first at once, the last never forgotten.
export function sparingly(name, wait, work) {
  const timer = timers.get(name);
  if (timer) {
    timer.again = true;
    return;
  }
  const mine = { again: false };
  timers.set(name, mine);
  setTimeout(() => {
    timers.delete(name);
    if (mine.again) sparingly(name, wait, work);
  }, wait);
  work();
}

// Fetch a piece and put it in the place of an element; a fault is not worth a word, the next news comes anyway.
export async function renew(address, place, how = "outerHTML") {
  const target = typeof place === "string" ? document.querySelector(place) : place;
  if (!window.htmx || !target) return;
  try {
    const headers = { "HX-Request": "true", "HX-Target": `${target.localName}#${target.id}` };
    const answer = await fetch(address, { headers, credentials: "same-origin" });
    const swap = answer.headers.get("HX-Reswap") ?? how;
    if (answer.ok && target.isConnected) {
      await window.htmx.swap({ sourceElement: target, target, text: await answer.text(), swap });
    }
  } catch {
    // The stream says when the server is back.
  }
}

function said(state, words) {
  sign.hidden = false;
  sign.className = `live ${state}`;
  if (sign.textContent !== words) sign.textContent = words;
}

function renewNumbers() {
  if (balance()) sparingly("balance", 2000, () => renew("/balance", balance()));
  const flow = document.getElementById("flow");
  if (flow) sparingly("flow", 2000, () => renew("/flow", document.getElementById("flow")));
  const lanes = document.getElementById("lanes");
  if (lanes) sparingly("lanes", 2000, () => renew("/lanes", document.getElementById("lanes")));
}

function tell(kind, ids = []) {
  document.dispatchEvent(new CustomEvent("tocsin:news", { detail: { kind, ids } }));
  renewNumbers();
}

// A browser opens few connections to one server, and each stream holds one: a tab that nobody looks at lets go of its.
let stream = null;
let missed = false;
let leaving = 0;

function listen() {
  clearTimeout(leaving);
  if (stream && stream.readyState !== EventSource.CLOSED) return;
  // From where the page was drawn: what changed before the stream stood is told too.
  stream = new EventSource(`/api/v2/live?after=${sign.dataset.heard}`);
  stream.addEventListener("open", () => {
    said("on", "live");
    if (missed) tell("reset");
    missed = false;
  });
  stream.addEventListener("error", ({ target }) => {
    missed = true;
    said("off", target.readyState === EventSource.CLOSED ? "not live: reload the page" : "not live, trying again");
  });
  stream.addEventListener("alertgroup", (event) => {
    const { kind, ids } = JSON.parse(event.data);
    tell(kind, ids);
  });
  stream.addEventListener("reset", () => tell("reset"));
}

function leave() {
  clearTimeout(leaving);
  leaving = setTimeout(() => {
    stream.close();
    missed = true;
  }, 10000);
}

if (sign) {
  listen();
  document.addEventListener("visibilitychange", () => (document.visibilityState === "visible" ? listen() : leave()));
  // Refused posts change no alertgroup, but they count.
  setInterval(() => document.visibilityState === "visible" && renewNumbers(), 15000);
  addEventListener("pagehide", () => stream.close());
  addEventListener("pageshow", (event) => event.persisted && listen());
}
