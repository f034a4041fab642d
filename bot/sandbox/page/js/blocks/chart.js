/**
 * Slack's `data_visualization` block: line, area and bar charts as SVG, a pie as a list of shares.
 *
 * The picture is for the eye; the same numbers stand in a table for screen readers.
 */

import { h, svg } from "../dom.js";

const WIDTH = 480;
const HEIGHT = 220;
const MARGIN = { top: 12, right: 14, bottom: 44, left: 56 };
const DASHES = ["", "6 3", "2 3", "8 3 2 3", "1 4", "10 4"];
const TICKS = 4;

/** Round steps of 1, 2, 2.5 or 5 times a power of ten that cover low…high. */
export function axisTicks(low, high) {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
  const ticks = [];
  for (let at = Math.floor(low / step); at <= Math.ceil(high / step + 1e-9); at += 1) ticks.push(at * step);
  return ticks.length > 1 ? ticks : [low, low + step];
}

const short = (number) => (Math.abs(number) >= 1e5 || (number !== 0 && Math.abs(number) < 1e-3) ? number.toExponential(1) : String(Number(number.toPrecision(4))));

/** Series as `{name, values: (number|null)[]}` in the order of the categories. */
function aligned(chart) {
  const categories = chart.axis_config?.categories ?? chart.series[0]?.data.map((point) => point.label) ?? [];
  const series = chart.series.map(({ name, data }) => {
    const byLabel = new Map(data.map((point) => [point.label, point.value]));
    return { name, values: categories.map((label) => byLabel.get(label) ?? null) };
  });
  return { categories, series };
}

function plot(chart, title) {
  const { categories, series } = aligned(chart);
  const values = series.flatMap((one) => one.values).filter((value) => value !== null);
  const fromZero = chart.type !== "line";
  const ticks = axisTicks(Math.min(...values, ...(fromZero ? [0] : [])), Math.max(...values, ...(fromZero ? [0] : [])));
  const [low, high] = [ticks[0], ticks[ticks.length - 1]];
  const inner = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
  const slot = inner.width / categories.length;
  const x = (index) => MARGIN.left + slot * (index + 0.5);
  const y = (value) => MARGIN.top + inner.height * (1 - (value - low) / (high - low));
  const everyOther = Math.ceil(categories.length / 7);

  const grid = ticks.map((tick) => [
    svg("line", { class: "grid", x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y(tick), y2: y(tick) }),
    svg("text", { class: "tick", x: MARGIN.left - 6, y: y(tick) + 4, "text-anchor": "end" }, short(tick)),
  ]);
  const names = categories.map(
    (label, index) =>
      index % everyOther === 0 && svg("text", { class: "tick", x: x(index), y: HEIGHT - MARGIN.bottom + 16, "text-anchor": "middle" }, label),
  );
  const titles = [
    chart.axis_config?.x_label &&
      svg("text", { class: "axis", x: MARGIN.left + inner.width / 2, y: HEIGHT - 8, "text-anchor": "middle" }, chart.axis_config.x_label),
    chart.axis_config?.y_label &&
      svg("text", { class: "axis", "text-anchor": "middle", transform: `translate(12 ${MARGIN.top + inner.height / 2}) rotate(-90)` }, chart.axis_config.y_label),
  ];
  const drawn = series.map((one, number) => {
    if (chart.type === "bar") return bars(one, number, series.length, { x, y, slot });
    const points = one.values.map((value, index) => (value === null ? null : `${x(index).toFixed(1)},${y(value).toFixed(1)}`)).filter(Boolean);
    return [
      chart.type === "area" && svg("polygon", { class: `area series-${number}`, points: `${x(0)},${y(low)} ${points.join(" ")} ${x(points.length - 1)},${y(low)}` }),
      svg("polyline", { class: `line series-${number}`, points: points.join(" "), "stroke-dasharray": DASHES[number] }),
      points.map((point) => svg("circle", { class: `dot series-${number}`, cx: point.split(",")[0], cy: point.split(",")[1], r: 2.6 })),
    ];
  });
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title }, grid, names, titles, drawn);
}

function bars(one, number, count, { x, y, slot }) {
  const width = (slot * 0.7) / count;
  return one.values.map(
    (value, index) =>
      value !== null &&
      svg("rect", {
        class: `bar series-${number}`,
        x: x(index) - slot * 0.35 + width * number,
        y: Math.min(y(value), y(0)),
        width,
        height: Math.abs(y(value) - y(0)),
      }),
  );
}

function legend(series) {
  return h(
    "ul",
    { class: "legend", "aria-hidden": "true" },
    series.map((one, number) =>
      h(
        "li",
        {},
        svg("svg", { width: 26, height: 8 }, svg("line", { class: `line series-${number}`, x1: 1, x2: 25, y1: 4, y2: 4, "stroke-dasharray": DASHES[number] })),
        one.name,
      ),
    ),
  );
}

function numbers(chart, title) {
  const { categories, series } = aligned(chart);
  const row = (label, values) => h("tr", {}, h("th", { scope: "row" }, label), values.map((value) => h("td", {}, value === null ? "" : short(value))));
  return h(
    "table",
    { class: "visually-hidden" },
    h("caption", {}, title),
    h("thead", {}, h("tr", {}, h("th", {}, chart.axis_config?.x_label ?? ""), series.map((one) => h("th", { scope: "col" }, one.name)))),
    h("tbody", {}, categories.map((label, index) => row(label, series.map((one) => one.values[index])))),
  );
}

function shares(chart) {
  const whole = chart.segments.reduce((sum, segment) => sum + segment.value, 0);
  return h(
    "ul",
    { class: "shares" },
    chart.segments.map((segment) =>
      h("li", {}, h("span", {}, segment.label), h("meter", { min: 0, max: whole, value: segment.value }), `${Math.round((100 * segment.value) / whole)} %`),
    ),
  );
}

/** The figure for a `data_visualization` block. */
export function dataVisualization(block) {
  const { chart, title } = block;
  const body = chart.type === "pie" ? [shares(chart)] : [plot(chart, title), legend(aligned(chart).series), numbers(chart, title)];
  return h("figure", { class: "chart" }, h("figcaption", {}, title), body);
}
