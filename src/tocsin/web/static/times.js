// Times in the reader's own zone. The server writes UTC; whoever has no script reads that.

const SHORT = { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const TIME = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const clock = new Intl.DateTimeFormat("sv-SE", { ...TIME });
const day = new Intl.DateTimeFormat("sv-SE", { year: "numeric", month: "2-digit", day: "2-digit" });
const short = new Intl.DateTimeFormat("sv-SE", SHORT);
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function ago(then, now = Date.now()) {
  const seconds = (now - then) / 1000;
  if (seconds < -1) return `in ${span(-seconds)}`;
  if (seconds < 45) return "now";
  return seconds < 7 * 86400 ? `${span(seconds)}` : day.format(then);
}

function span(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

function show(time) {
  const then = new Date(time.dateTime);
  if (Number.isNaN(then.getTime())) return;
  const today = day.format(then) === day.format(Date.now());
  const at = clock.format(then);
  const millis = String(then.getMilliseconds()).padStart(3, "0");
  const words = { ago: () => ago(then), clock: () => (today ? at : `${day.format(then)} ${at}`) };
  words.since = () => (/^now$|\d$/.test(ago(then)) ? "" : `(${ago(then)} ago)`);
  words.exact = () => `${words.clock()}.${millis}`;
  const said = (words[time.dataset.show] ?? words.clock)();
  if (time.textContent !== said) time.textContent = said;
  if (!time.dataset.utc) {
    time.dataset.utc = time.title;
    time.title = `${day.format(then)} ${at} ${zone} (${time.title})`;
  }
}

export function localise(part) {
  if (part.matches?.("time[data-show]")) show(part);
  for (const time of part.querySelectorAll("time[data-show]")) show(time);
}

localise(document);
new MutationObserver((changes) => {
  for (const change of changes) {
    if (change.type === "characterData") localise(change.target.parentElement ?? document.createElement("i"));
    for (const node of change.addedNodes) if (node.nodeType === 1) localise(node);
  }
}).observe(document.body, { childList: true, characterData: true, subtree: true });
setInterval(() => {
  if (document.visibilityState === "visible") {
    for (const time of document.querySelectorAll('time[data-show="ago"], time[data-show="since"]')) show(time);
  }
}, 5000);

// Form fields for times hold the reader's time on the page and UTC in the address.

export function toUtc(local) {
  const then = local ? new Date(local) : null;
  return then && !Number.isNaN(then.getTime()) ? then.toISOString().replace(/\.000Z$/, "Z") : local;
}

export function fromUtc(text) {
  const then = new Date(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
  if (Number.isNaN(then.getTime())) return text;
  return `${day.format(then)}T${clock.format(then)}`;
}
