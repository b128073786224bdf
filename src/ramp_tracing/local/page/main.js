/** The page: what is chosen, what is asked, what is shown. */
import { ask, Locked, unlock } from "./answers.js";
import { drawCalls, orders, pageSize } from "./calls.js";
import { drawCourse, drawTable, measures, redrawCourse } from "./course.js";
import { byId, make, options } from "./elements.js";
import { instant, keyName, valueName } from "./format.js";
import { drawSpeed, drawTokens, drawTops, drawTotals } from "./panels.js";
import { asked, readState, usual, writeState } from "./state.js";

const presets = { "24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days", all: "All" };
const steps = { "": "automatic", minute: "minute", hour: "hour", day: "day", week: "week" };
const pauseMs = 2000;

let state = readState();
let keys = [];
let seen = null;
let running = null;
let typing;

function choose(changes, { keepPage = false } = {}) {
  state = { ...state, ...(keepPage ? {} : { offset: undefined }), ...changes };
  writeState(state);
  show();
}

function chooseValue(key, value) {
  if (state.filters.some(([name, chosen]) => name === key && chosen === value)) return;
  choose({ filters: [...state.filters, [key, value]] });
}

async function show() {
  running?.abort();
  const { signal } = (running = new AbortController());
  try {
    drawControls();
    const known = ask("keys", "", { signal });
    const overview = ask("overview", asked(state, { by: state.by, step: state.step }), { signal });
    const calls = ask("calls", asked(state, { order: state.order, offset: state.offset, limit: String(pageSize) }), { signal });
    const [told, figures, page] = await Promise.all([known, overview, calls]);
    if (signal.aborted) return;
    seen = told.change;
    keys = told.keys;
    byId("left-out").textContent = told.left_out ? `${told.left_out} more keys of metadata can be asked for in SQL only.` : "";
    draw(figures, page);
  } catch (error) {
    if (error.name !== "AbortError") fail(error);
  }
}

function draw(figures, page) {
  byId("gate").hidden = true;
  byId("content").hidden = false;
  byId("problem").hidden = true;
  drawControls();
  const empty = figures.totals.calls === 0;
  byId("figures").hidden = empty;
  byId("nothing").hidden = !empty;
  if (empty) {
    drawNothing();
  } else {
    drawTotals(figures);
    drawCourse(figures.series, state.measure);
    drawTops(figures, chooseValue);
    drawTokens(figures);
    drawSpeed(figures);
    drawCalls(page);
  }
  tell("live", `Live · ${instant(Date.now(), "minute")} UTC`);
}

function drawControls() {
  byId("export").href = `api/export.csv?${asked(state)}`;
  byId("presets").replaceChildren(...Object.entries(presets).map(([since, text]) =>
    make("button", { type: "button", "aria-pressed": String(state.since === since && !state.until), onclick: () => { choose({ since, until: undefined }); focusPreset(since); }, "data-since": since }, text),
  ));
  byId("since").value = /^\d{4}-/.test(state.since) ? state.since.slice(0, 10) : "";
  byId("until").value = state.until?.slice(0, 10) ?? "";
  const named = keys.map((key) => [key, keyName(key)]);
  options(byId("by"), named.length ? named : [[state.by, keyName(state.by)]], state.by);
  options(byId("measure"), Object.entries(measures), state.measure);
  options(byId("step"), Object.entries(steps), state.step ?? "");
  options(byId("order"), Object.entries(orders), state.order);
  const chosen = byId("filter-key").value;
  options(byId("filter-key"), [["", "Choose a key…"], ...named], named.some(([key]) => key === chosen) ? chosen : "");
  byId("chips").replaceChildren(...state.filters.map(([key, value], index) =>
    make("li", {}, make("button", { type: "button", "aria-label": `Remove the filter ${keyName(key)}: ${valueName(value)}`, onclick: () => choose({ filters: state.filters.filter((_, at) => at !== index) }) }, `${keyName(key)}: ${valueName(value)} ✕`)),
  ));
}

const focusPreset = (since) => byId("presets").querySelector(`[data-since="${since}"]`)?.focus();

function drawNothing() {
  const narrowed = state.filters.length > 0 || state.since !== "all" || state.until;
  const title = byId("nothing-title"), advice = byId("nothing-advice");
  if (seen === 0) {
    title.textContent = "No calls yet";
    const address = `${location.origin}/developer/v1/ai-usage/openrouter`;
    advice.replaceChildren(
      make("p", {}, "Point an application here and make a model call. It shows up within seconds, without a reload."),
      make("pre", {}, `export RAMP_BASE_URL=${address}\nexport RAMP_API_KEY=any\nramp-tracing run -- python app.py`),
      make("p", {}, "Nothing arrives? ", make("code", {}, "ramp-tracing check"), " says why. ", make("code", {}, "ramp-tracing demo --open"), " fills a page with invented calls."),
    );
  } else if (narrowed) {
    title.textContent = "No calls match";
    advice.replaceChildren(
      make("p", {}, "There are calls, but none in this period with these filters."),
      make("button", { type: "button", class: "button", onclick: () => choose({ filters: [], since: "all", until: undefined }) }, "Show all calls"),
    );
  }
}

function fail(error) {
  if (error instanceof Locked) {
    byId("content").hidden = true;
    byId("gate").hidden = false;
    byId("key").focus();
    return tell("lost", "Locked");
  }
  const lost = error instanceof TypeError;
  tell("lost", lost ? "The receiver does not answer" : "Not up to date");
  byId("content").hidden = false;
  byId("problem").hidden = lost;
  byId("problem").textContent = lost ? "" : `These figures cannot be shown: ${error.message}.`;
}

function tell(name, text) {
  const live = byId("live");
  live.dataset.state = name;
  live.textContent = text;
}

async function follow() {
  try {
    if (!document.hidden && byId("gate").hidden) {
      const { change } = await ask("change");
      if (change !== seen || byId("live").dataset.state === "lost") await show();
    }
  } catch (error) {
    fail(error);
  }
  setTimeout(follow, pauseMs);
}

function darkNow() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  byId("theme").textContent = darkNow() ? "Light" : "Dark";
  byId("theme").setAttribute("aria-label", darkNow() ? "Use light colours" : "Use dark colours");
  redrawCourse();
}

async function offerValues() {
  const key = byId("filter-key").value;
  const part = byId("filter-value").value;
  const { values } = key ? await ask("values", new URLSearchParams({ key, part }).toString()) : { values: [] };
  byId("filter-values").replaceChildren(...values.filter(({ value }) => value).map(({ value, calls }) => make("option", { value }, `${calls} calls`)));
  byId("filter-value").placeholder = key ? "empty: not given" : "any of its values";
}

for (const name of ["by", "measure", "step", "order"]) byId(name).addEventListener("change", (event) => choose({ [name]: event.target.value || undefined }));
byId("since").addEventListener("change", (event) => choose({ since: event.target.value || usual.since }));
byId("until").addEventListener("change", (event) => choose({ until: event.target.value || undefined, since: /^\d{4}-/.test(state.since) ? state.since : "all" }));
byId("filter-key").addEventListener("change", () => { byId("filter-value").value = ""; offerValues().catch(fail); });
byId("filter-value").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => offerValues().catch(fail), 150);
});
byId("filters").addEventListener("submit", (event) => {
  event.preventDefault();
  const key = byId("filter-key").value, value = byId("filter-value");
  if (!key) return byId("filter-key").focus();
  chooseValue(key, value.value);
  value.value = "";
});
byId("earlier").addEventListener("click", () => choose({ offset: String(Math.max(0, Number(state.offset ?? 0) - pageSize)) }, { keepPage: true }));
byId("later").addEventListener("click", () => choose({ offset: String(Number(state.offset ?? 0) + pageSize) }, { keepPage: true }));
byId("course-table").addEventListener("toggle", drawTable);
byId("close").addEventListener("click", () => byId("call").close());
byId("call").addEventListener("click", (event) => event.target === event.currentTarget && event.currentTarget.close());
byId("gate").addEventListener("submit", async (event) => {
  event.preventDefault();
  const opened = await unlock(byId("key").value).catch(() => false);
  byId("wrong").textContent = opened ? "" : "That is not the key.";
  if (opened) { byId("gate").hidden = true; await show(); }
});
byId("theme").addEventListener("click", () => {
  const theme = darkNow() ? "light" : "dark";
  localStorage.setItem("theme", theme);
  setTheme(theme);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(null));
addEventListener("popstate", () => { state = readState(); show(); });

setTheme(localStorage.getItem("theme"));
await show();
setTimeout(follow, pauseMs);
