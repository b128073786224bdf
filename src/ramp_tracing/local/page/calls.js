/** The table of calls, and one of them with everything that is known. */
import { ask } from "./answers.js";
import { byId, make, table, unknown } from "./elements.js";
import { count, exact, instant, milliseconds, money, valueName } from "./format.js";

export const orders = { newest: "newest first", oldest: "oldest first", cost: "most expensive first", slowest: "slowest first" };
export const pageSize = 50;

export function drawCalls({ calls, total, offset }) {
  const rows = calls.map((call) => [
    make("button", { type: "button", class: "link", "data-call": call.id, onclick: () => openCall(call.id) }, instant(call.start_ms)),
    valueName(call.model),
    call.user ?? unknown("–"),
    count(call.input_tokens),
    count(call.output_tokens),
    milliseconds(call.duration_ms) ?? unknown("–"),
    status(call),
    call.cost === null ? unknown(call.status === "failed" ? "–" : "no price") : make("span", { title: exact(call.cost) }, money(call.cost, 6)),
  ]);
  const headings = [["Time (UTC)"], ["Model"], ["User"], ["Input", true], ["Output", true], ["Took", true], ["Status"], ["Cost", true]];
  const focused = document.activeElement?.dataset?.call;
  byId("calls").replaceChildren(...table(headings, rows, { caption: "Calls; the time opens one" }));
  if (focused) byId("calls").querySelector(`[data-call="${focused}"]`)?.focus();
  byId("place").textContent = total ? `${count(offset + 1)}–${count(offset + calls.length)} of ${count(total)}` : "";
  byId("earlier").disabled = offset === 0;
  byId("later").disabled = offset + calls.length >= total;
}

function status(call) {
  if (call.status !== "failed") return call.status === "ok" ? "ok" : unknown(call.status);
  return make("span", { class: "failed" }, call.error ? `failed: ${call.error}` : "failed");
}

export async function openCall(id) {
  const call = await ask(`calls/${id}`);
  byId("call-title").textContent = `${valueName(call.model)}, ${instant(call.start_ms)} UTC`;
  byId("call-body").replaceChildren(
    pairs(factsOf(call)),
    ...section("Metadata", Object.keys(call.metadata).length ? pairs(Object.entries(call.metadata)) : null),
    ...section("Place in the trace", call.trace.length > 1 ? tree(call) : null),
    ...section("Asked", messages(call.attributes["gen_ai.prompt"] ?? call.attributes["gen_ai.input.messages"])),
    ...section("Answered", messages(call.attributes["gen_ai.completion"] ?? call.attributes["gen_ai.output.messages"])),
    ...section("Failure", call.events.length ? pairs(call.events.flatMap((event) => Object.entries(event))) : null),
    make("details", {}, make("summary", {}, "All attributes"), pairs(Object.entries(call.attributes).map(([key, value]) => [key, text(value)]))),
  );
  const dialog = byId("call");
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

const section = (title, body) => (body ? [make("h3", {}, title), body] : []);
const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));

function pairs(rows) {
  return make("table", { class: "pairs" }, make("tbody", {}, ...rows.map(([key, value]) => make("tr", {}, make("th", { scope: "row" }, key), make("td", {}, value ?? unknown())))));
}

function factsOf(call) {
  return [
    ["Cost", call.cost === null ? unknown(call.failed ? "none: the call failed" : "no known price") : `${exact(call.cost)}${call.cost_source ? ` (by ${call.cost_source.replaceAll("_", " ")})` : ""}`],
    ["Tokens", call.input_tokens === null && call.output_tokens === null ? unknown() : `${count(call.input_tokens) ?? "?"} in, ${count(call.output_tokens) ?? "?"} out`],
    ["of which", [["cached", call.cached_tokens], ["written to cache", call.cache_write_tokens], ["reasoning", call.reasoning_tokens]].filter(([, n]) => n !== null).map(([name, n]) => `${count(n)} ${name}`).join(", ") || unknown()],
    ["Took", call.duration === null ? unknown() : `${milliseconds(call.duration / 1e6)}${call.first_token === null ? "" : `, first token after ${milliseconds(call.first_token / 1e3)}`}`],
    ["Status", call.failed ? make("span", { class: "failed" }, call.attributes["span.status_message"] ?? "failed") : "ok"],
    ["User", call.user_id], ["Session", call.session_id], ["Provider", call.provider], ["Id", call.event_id],
  ].filter(([name, value]) => value !== null || !["User", "Session"].includes(name));
}

/** Spans below the span that is their parent; those whose parent was not sent stand at the top. */
function tree(call) {
  const spans = new Map(call.trace.map((span) => [span.span_id, { ...span, below: [] }]));
  const roots = [];
  for (const span of spans.values()) {
    const parent = span.parent_span_id === span.span_id ? undefined : spans.get(span.parent_span_id);
    (parent ? parent.below : roots).push(span);
  }
  const seen = new Set();
  const item = (span) => {
    seen.add(span.span_id);
    const name = span.model && span.name === "LLM Generation" ? span.model : span.name;
    const here = span.id === call.id;
    const label = span.id && !here ? make("button", { type: "button", class: "link", onclick: () => openCall(span.id) }, name) : make("span", { "aria-current": here ? "true" : null }, name);
    const below = span.below.filter((each) => !seen.has(each.span_id));
    return make("li", {}, label, make("small", {}, [milliseconds(span.duration_ms), money(span.cost)].filter(Boolean).join(" · ")), below.length ? make("ul", {}, ...below.map(item)) : null);
  };
  return make("ul", { class: "tree" }, ...roots.map(item));
}

/** What was said, by whom, as far as the JSON text says so; otherwise the text as it is. */
function messages(sent) {
  if (!sent) return null;
  let read;
  try {
    read = JSON.parse(sent);
  } catch {
    return make("pre", {}, sent);
  }
  const list = Array.isArray(read) ? read : read.messages;
  if (!Array.isArray(list)) return make("pre", {}, typeof read.completion === "string" && !read.reasoning && !read.toolCalls ? read.completion : JSON.stringify(read, null, 2));
  return make("div", {}, ...list.flatMap((message) => {
    const said = message?.content ?? message?.parts ?? message;
    return [make("p", { class: "role" }, message?.role ?? "text"), make("pre", {}, typeof said === "string" ? said : JSON.stringify(said, null, 2))];
  }));
}
