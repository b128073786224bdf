/** The course of time: Chart.js draws it, the legend and the table say the same in words and figures. */
import { byId, make, table, unknown } from "./elements.js";
import { compact, count, instant, keyName, money, valueName } from "./format.js";

export const measures = { cost: "Spend", calls: "Calls", tokens: "Tokens" };
let chart;
let shown;

const written = (measure) => (value) => (measure === "cost" ? money(value) : count(value));
const label = (group) => (group.others ? "All others" : valueName(group.value));
const colour = (index, group) => `s${group.others ? 8 : index}`;

export function drawCourse(series, measure) {
  shown = { series, measure };
  const { groups, buckets, step } = series;
  drawLegend(groups);
  const style = getComputedStyle(document.documentElement);
  const swatches = [...document.querySelectorAll("#legend .swatch")].map((each) => getComputedStyle(each).backgroundColor);
  const datasets = groups.map((group, index) => ({
    label: label(group),
    data: group[measure].map((value) => (value === null ? null : Number(value))),
    exact: group[measure],
    backgroundColor: swatches[index],
  }));
  const labels = buckets.map((at) => instant(at, step));
  chart?.destroy();
  chart = new Chart(byId("course"), { type: "bar", data: { labels, datasets }, options: settings(measure, style) });
  byId("course-summary").textContent = summary(series, measure);
  drawTable();
}

/** Again, because the colours changed. */
export const redrawCourse = () => shown && drawCourse(shown.series, shown.measure);

export function drawTable() {
  const details = byId("course-table");
  if (!details.open || !shown) return;
  const { series, measure } = shown;
  const headings = [["Time (UTC)"], ...series.groups.map((group) => [label(group), true])];
  const rows = series.buckets.map((at, index) => [
    instant(at, series.step),
    ...series.groups.map((group) => written(measure)(group[measure][index]) ?? unknown(group.calls[index] ? "unknown" : "–")),
  ]);
  details.querySelector("div").replaceChildren(make("table", {}, ...table(headings, rows)));
}

function drawLegend(groups) {
  const items = groups.map((group, index) => make("li", {}, make("span", { class: `swatch ${colour(index, group)}` }), label(group)));
  byId("legend").replaceChildren(...items);
}

function summary({ groups, buckets, step, key }, measure) {
  if (!buckets.length) return "No calls.";
  const names = groups.map(label).join(", ");
  return `${measures[measure]} by ${keyName(key)}, per ${step}, from ${instant(buckets[0], step)} to ${instant(buckets.at(-1), step)}: ${names}. The table below has the figures.`;
}

function settings(measure, style) {
  const resolved = (name) => {
    const probe = make("span", { hidden: true });
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
  const ink = resolved("--ink"), soft = resolved("--soft"), line = resolved("--line"), card = resolved("--card");
  const font = { family: style.fontFamily, size: 12 };
  return {
    animation: false,
    maintainAspectRatio: false,
    interaction: { mode: "index", intersect: false },
    datasets: { bar: { categoryPercentage: 0.86, barPercentage: 1, maxBarThickness: 56 } },
    scales: {
      x: { stacked: true, grid: { display: false }, border: { color: line }, ticks: { color: soft, font, maxRotation: 0, autoSkipPadding: 24 } },
      y: {
        stacked: true,
        beginAtZero: true,
        border: { display: false },
        grid: { color: line },
        ticks: { color: soft, font, maxTicksLimit: 6, callback: (value, at, all) => (measure === "cost" ? axisMoney(value, at, all) : compact(value)) },
      },
    },
    plugins: {
      legend: { display: false },
      tooltip: {
        backgroundColor: card, titleColor: ink, bodyColor: ink, footerColor: ink, borderColor: line, borderWidth: 1, padding: 12,
        titleFont: { ...font, weight: "600" }, bodyFont: font, boxPadding: 6, usePointStyle: false,
        filter: (item) => item.raw !== null,
        itemSort: (one, other) => other.raw - one.raw,
        callbacks: { label: (item) => `${item.dataset.label}  ${written(measure)(item.dataset.exact[item.dataIndex])}` },
      },
    },
  };
}

function axisMoney(value, _, ticks) {
  if (value >= 10_000) return `$${compact(value)}`;
  const step = ticks.length > 1 ? Math.abs(ticks[1].value - ticks[0].value) : value;
  return money(String(value), step >= 1 ? 0 : step >= 0.01 ? 2 : Math.min(10, Math.ceil(-Math.log10(step)) + 1));
}
