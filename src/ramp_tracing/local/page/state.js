/** What is looked at. It lives in the address, so that a view can be kept, shared and gone back to. */
export const usual = { since: "30d", by: "model", measure: "cost", order: "newest" };
const own = ["since", "until", "by", "measure", "step", "order", "offset"];

export function readState() {
  const parameters = new URLSearchParams(location.search);
  const state = { filters: [] };
  for (const [name, value] of parameters) {
    if (own.includes(name)) state[name] = value;
    else state.filters.push([name, value]);
  }
  return { ...usual, ...state };
}

export function writeState(state, { replace = false } = {}) {
  const parameters = new URLSearchParams();
  for (const name of own) if (state[name] && state[name] !== usual[name]) parameters.set(name, state[name]);
  for (const [key, value] of state.filters) parameters.append(key, value);
  const query = parameters.toString();
  history[replace ? "replaceState" : "pushState"](null, "", query ? `?${query}` : location.pathname);
}

/** The part of it that chooses calls, as parameters of a question; `all` is no bound. */
export function asked(state, more = {}) {
  const parameters = new URLSearchParams();
  if (state.since && state.since !== "all") parameters.set("since", state.since);
  if (state.until) parameters.set("until", state.until);
  for (const [key, value] of state.filters) parameters.append(key, value);
  for (const [name, value] of Object.entries(more)) if (value) parameters.set(name, value);
  return parameters.toString();
}
