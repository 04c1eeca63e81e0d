// Text of strangers as nodes: isolated, and with every hidden character marked (the same rule as shown.py).

const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\u115f\u1160\u17b4\u17b5\u2028\u2029\u2800\u3164\uffa0]/gu;

// A cell is a paragraph of its own; within a sentence a `bdi` keeps strangers' text apart.
export function textNode(words, whole = document.createElement("bdi")) {
  if (words.search(HIDDEN) < 0) {
    whole.append(words);
    return whole;
  }
  let end = 0;
  for (const found of words.matchAll(HIDDEN)) {
    const character = found[0];
    if (character === "\n" || character === "\t") continue;
    whole.append(words.slice(end, found.index), mark(character));
    end = found.index + character.length;
  }
  whole.append(words.slice(end));
  return whole;
}

function mark(character) {
  const code = character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
  const shown = document.createElement("span");
  shown.className = "ctl";
  shown.dataset.c = code;
  shown.title = `U+${code}`;
  shown.textContent = character === "\0" ? "\ufffd" : character;
  return shown;
}

// A text as the server sent it: plain, or in pieces of which some are marked (marking.py).
function wordsNode(words, marks, whole) {
  if (typeof words === "string") return textNode(words, whole);
  const place = whole ?? document.createElement("bdi");
  for (const piece of words.p) {
    if (typeof piece === "string") textNode(piece, place);
    else place.append(entityLink(piece, marks));
  }
  return place;
}

function entityLink([words, mark, ends], marks) {
  const [address, look, title, elsewhere] = marks[mark];
  const link = document.createElement("a");
  link.className = `en ${look}`;
  link.href = address;
  link.title = title;
  link.tabIndex = -1;
  if (ends) link.dataset.n = elsewhere;
  return textNode(words, link);
}

export function cellNodes(cell, marks) {
  if (cell === 0) return [];
  if (cell === null) return [labelled("null", "null")];
  if (!Array.isArray(cell)) return [wordsNode(cell, marks, document.createDocumentFragment())];
  return cell.flatMap((part, at) => (at ? [labelled("sep", ", "), wordsNode(part, marks)] : [wordsNode(part, marks)]));
}

function labelled(name, words) {
  const span = document.createElement("span");
  span.className = name;
  span.textContent = words;
  return span;
}
