/** Totals, rankings, tokens, speed. */
import { byId, make, table, unknown } from "./elements.js";
import { change, compact, count, exact, keyName, milliseconds, money, percent, placesFor, valueName } from "./format.js";

export function drawTotals({ totals, before, speed }) {
  const total = byId("total");
  const text = money(totals.cost) ?? "unknown";
  if (total.textContent !== text) total.textContent = text;
  total.title = exact(totals.cost) ?? "";
  const trend = before && change(totals.cost, before.cost);
  byId("total-trend").replaceChildren(
    ...(trend ? [trendMark(trend), ` against the time before (${money(before.cost)})`] : [before ? "nothing to compare with in the time before" : "since the first call"]),
  );
  const failures = totals.failed ? `${percent(totals.failed, totals.calls)} of all calls` : "none";
  byId("facts").replaceChildren(
    fact("Calls", count(totals.calls), before?.calls ? change(totals.calls, before.calls)?.text : null),
    fact("Cost per call", money(totals.cost_per_call), "of those with a price"),
    fact("Per 1,000 tokens", money(totals.cost_per_1000_tokens), `${compact(totals.tokens) ?? "no"} tokens`),
    fact("Failed", count(totals.failed), failures, totals.failed > 0),
    fact("No known price", count(totals.unpriced), totals.unpriced ? "not in the total" : "all are priced", totals.unpriced > 0),
    fact("Median time", milliseconds(speed.duration.p50), speed.first_token.p50 === null ? null : `first token ${milliseconds(speed.first_token.p50)}`),
  );
}

function fact(name, value, note, warns = false) {
  return make("div", { class: warns ? "warn" : null }, make("dt", {}, name), make("dd", {}, value ?? unknown(), note ? make("small", {}, note) : null));
}

function trendMark(trend) {
  return make("span", { class: trend.rises ? "up" : trend.falls ? "down" : null }, trend.text);
}

export function drawTops(overview, choose) {
  const sections = overview.tops.map((top) => drawTop(top, overview, choose));
  const focus = document.activeElement?.dataset?.focus;
  byId("tops").replaceChildren(...sections);
  if (focus) byId("tops").querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus();
}

function drawTop({ key, rows, distinct }, { totals, before }, choose) {
  const title = `top-${key}`;
  const places = placesFor(rows[0]?.cost ?? "0");
  const lines = rows.map((row) => [
    make("button", { type: "button", class: "link", "data-focus": `${key} ${row.value}`, onclick: () => choose(key, row.value ?? "") }, valueName(row.value)),
    count(row.calls),
    shareCell(row, totals),
    ...(before ? [trendCell(row)] : []),
    costCell(row, places),
  ]);
  const headings = [[keyName(key)], ["Calls", true], ["Share", true], ...(before ? [["Trend", true]] : []), ["Spend", true]];
  const more = distinct > rows.length ? make("p", { class: "note" }, `The ${rows.length} largest of ${count(distinct)}.`) : null;
  return make(
    "section", { class: "card", "aria-labelledby": title },
    make("div", { class: "head" }, make("h2", { id: title }, `Top by ${keyName(key)}`)),
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Top by ${keyName(key)}, as a table` }, make("table", {}, ...table(headings, lines))),
    ...(more ? [more] : []),
  );
}

function costCell(row, places) {
  const text = row.cost === null ? unknown("no price") : make("span", { title: exact(row.cost) }, money(row.cost, Math.max(places, 2)));
  return row.cost !== null && row.unpriced ? make("span", {}, text, make("span", { class: "unknown", title: `${count(row.unpriced)} calls without a known price` }, " +")) : text;
}

function shareCell(row, totals) {
  const share = percent(row.cost === null ? null : Number(row.cost), Number(totals.cost));
  if (share === null) return unknown("–");
  const bar = make("span", { class: "bar" });
  bar.style.width = `${Math.max(1, (100 * Number(row.cost)) / Number(totals.cost))}%`;
  return make("div", { class: "share" }, share, bar);
}

function trendCell(row) {
  const trend = change(row.cost, row.cost_before);
  return trend ? trendMark(trend) : unknown(row.cost !== null && row.cost_before === null ? "new" : "–");
}

export function drawTokens({ totals }) {
  const rows = [
    ["Input", totals.input_tokens, null],
    ["– read from a cache", totals.cached_tokens, totals.input_tokens],
    ["– written to a cache", totals.cache_write_tokens, totals.input_tokens],
    ["Output", totals.output_tokens, null],
    ["– reasoning", totals.reasoning_tokens, totals.output_tokens],
    ["All tokens", totals.tokens, null],
  ].map(([name, value, of]) => [name, count(value), of === null ? "" : (percent(value, of) ?? unknown("–"))]);
  byId("tokens").replaceChildren(make("table", {}, ...table([["Kind"], ["Tokens", true], ["Of it", true]], rows)));
}

export function drawSpeed({ speed, totals }) {
  const row = (name, { calls, p50, p95, p99 }) => [name, count(calls), ...[p50, p95, p99].map(milliseconds)];
  const rows = [row("Whole answer", speed.duration), row("First token", speed.first_token)];
  const headings = [["Until"], ["Calls", true], ["Median", true], ["95 %", true], ["99 %", true]];
  const note = totals.failed ? `${count(totals.failed)} failed calls are left out.` : "Streams only have a first token.";
  byId("speed").replaceChildren(make("table", {}, ...table(headings, rows)), make("p", { class: "note" }, note));
}
