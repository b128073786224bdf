/** Elements with their content; texts are only ever set as text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** A table: headings are [text, isNumber], rows are lists of cells (texts or elements); the first one heads its row. */
export function table(headings, rows, { caption } = {}) {
  const head = headings.map(([text, isNumber]) => make("th", { scope: "col", class: isNumber ? "n" : null }, text));
  const body = rows.map((cells) =>
    make("tr", {}, ...cells.map((cell, index) =>
      make(index === 0 ? "th" : "td", { scope: index === 0 ? "row" : null, class: headings[index][1] ? "n" : null }, cell ?? unknown()),
    )),
  );
  const parts = [make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body)];
  if (caption) parts.unshift(make("caption", { class: "unseen" }, caption));
  return parts;
}

export function unknown(text = "unknown") {
  return make("span", { class: "unknown" }, text);
}

export function options(select, pairs, chosen) {
  const same = select.options.length === pairs.length && pairs.every(([value], index) => select.options[index].value === value);
  if (!same) select.replaceChildren(...pairs.map(([value, text]) => make("option", { value }, text)));
  if (chosen !== undefined) select.value = chosen;
}
