/** Figures for people. Money comes as exact decimal text and is handed on as text: no float ever holds it. */
const whole = new Intl.NumberFormat("en-US");
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

export const count = (value) => (value === null || value === undefined ? null : whole.format(value));
export const compact = (value) => (value === null || value === undefined ? null : short.format(value));

/** US dollars with as many places as their size asks for, or with exactly `places`. */
export function money(text, places) {
  if (text === null || text === undefined) return null;
  const digits = places ?? placesFor(text);
  const shown = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", minimumFractionDigits: digits, maximumFractionDigits: digits });
  return shown.format(text);
}

export function placesFor(text) {
  const size = Math.abs(Number(text));
  if (size >= 1 || size === 0) return 2;
  return size >= 0.01 ? 4 : size >= 0.0001 ? 6 : 8;
}

/** All digits that were recorded, without zeros that say nothing. */
export function exact(text) {
  if (text === null || text === undefined) return null;
  return "$" + text.replace(/(\.\d\d\d*?)0+$/, "$1");
}

export function milliseconds(value) {
  if (value === null || value === undefined) return null;
  if (value < 1000) return `${Math.round(value)} ms`;
  return value < 60000 ? `${(value / 1000).toFixed(2)} s` : `${(value / 60000).toFixed(1)} min`;
}

export function percent(part, all) {
  if (part === null || part === undefined || !all) return null;
  const share = (100 * part) / all;
  return share > 0 && share < 0.1 ? "< 0.1 %" : `${share.toFixed(1)} %`;
}

/** How much `now` is above or below `before`. */
export function change(now, before) {
  if (now === null || now === undefined || before === null || before === undefined || Number(before) === 0) return null;
  const ratio = Number(now) / Number(before) - 1;
  const size = Math.abs(100 * ratio);
  const text = size >= 1000 ? `${whole.format(Math.round(ratio + 1))} times` : `${size.toFixed(size < 10 ? 1 : 0)} %`;
  return { text: `${ratio > 0 ? "▲" : ratio < 0 ? "▼" : "="} ${text}`, rises: ratio > 0, falls: ratio < 0 };
}

const styles = {
  minute: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  hour: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  day: { day: "numeric", month: "short" },
  week: { day: "numeric", month: "short", year: "numeric" },
  full: { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
};
const dates = Object.fromEntries(
  Object.entries(styles).map(([name, style]) => [name, new Intl.DateTimeFormat("en-GB", { ...style, timeZone: "UTC" })]),
);

export const instant = (ms, style = "full") => dates[style].format(ms);

const names = {
  model: "model", provider: "provider", served_by: "served by", user: "user", session: "session", trace: "trace name",
  operation: "operation", library: "library", service: "service", tier: "service tier", finish_reason: "finish reason",
  error: "error", cost_source: "source of the cost", source: "way in", status: "status",
};

export const keyName = (key) => names[key] ?? key.replace(/^meta\./, "").replaceAll("_", " ");
export const valueName = (value) => (value === null || value === "" ? "not given" : value);
