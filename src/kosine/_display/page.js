// Draws what the element #data says with plotly, and keeps names and the axis of epochs right while one zooms.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const picture = document.getElementById("picture");
const steps = data.steps.map(Number);
const wholeRun = () => [data.begin, data.total]; // a new one each time: plotly changes what it is given
const withDifferences = data.curves.length > 1;
const narrow = picture.clientWidth < 600;
const margin = { l: narrow ? 65 : 80, r: 20, t: data.per_epoch ? 50 : 36, b: 45 };
const grey = "#8c8c8c";
let scale = data.log ? "log" : "linear";

// --- words ---

const grouped = (number) => number.toLocaleString("en-US", { maximumFractionDigits: 4 });

function stepText(index) {
  const step = data.steps[index];
  return grouped(typeof step === "string" ? BigInt(step) : step);
}

// As in Python: one style for every rate of the picture, decimals or 7.5e-4, that the page was given.
function rateText(rate, digits = 6) {
  const rounded = Number(rate.toPrecision(digits));
  if (rounded && (data.scientific[scale] || Math.abs(rounded) < 1e-5)) return rounded.toExponential().replace("+", "");
  return rounded.toLocaleString("en-US", { useGrouping: false, maximumFractionDigits: 12 });
}

const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/\$/g, "&#36;");

// A text of a user in lines that fit, in which plotly finds no tags and no TeX.
function wrapped(text, pixels) {
  const most = Math.max(12, Math.floor(pixels / 7.2));
  const lines = [];
  for (const word of text.match(/\S+\s*/g) || [""]) {
    const line = lines.at(-1);
    if (line !== undefined && (line + word.trimEnd()).length <= most) lines[lines.length - 1] += word;
    else lines.push(...(word.match(new RegExp(`.{1,${most}}`, "g"))));
  }
  return lines.map((line) => escaped(line.trimEnd())).join("<br>");
}

const named = (curve) => wrapped(curve.name, picture.clientWidth - 90);

function where(index) {
  const epoch = data.per_epoch ? `<br>epoch ${grouped(steps[index] / data.per_epoch)}` : "";
  return `${data.unit} ${stepText(index)}${epoch}`;
}

// --- what is drawn ---

function width() {
  const drawn = picture.querySelector(".nsewdrag");
  return drawn ? drawn.getBoundingClientRect().width : picture.clientWidth - margin.l - margin.r;
}

function curves() {
  const drawn = data.curves.map((curve, number) => ({
    x: steps,
    y: curve.rates,
    name: named(curve),
    mode: curve.mode || (steps.length <= 64 ? "lines+markers" : "lines"),
    connectgaps: true,
    line: { color: curve.colour, width: number || !withDifferences ? 2 : 3.5, dash: curve.dash, simplify: false },
    customdata: steps.map((_, index) => hoverText(number, index)),
    hovertemplate: "%{customdata}<extra></extra>",
  }));
  const apart = data.curves.slice(1).map((curve, number) => ({
    ...drawn[number + 1],
    y: apartOf(curve),
    yaxis: "y2",
    showlegend: false,
    hoverinfo: "skip",
    hovertemplate: null,
  }));
  const topAxis = { x: [0], y: [null], xaxis: "x2", hoverinfo: "skip", showlegend: false };
  const below = { x: data.leaves, y: data.leaves.map(() => data.lowest), mode: "markers", cliponaxis: false,
    marker: { symbol: "triangle-down", size: 11, color: data.curves[0].colour }, hoverinfo: "skip", showlegend: false,
    visible: scale === "log" };
  return [...drawn, ...precision(), ...apart, ...(data.per_epoch ? [topAxis] : []), ...(data.leaves.length ? [below] : [])];
}

// A curve minus the first; null where it has no rate.
function apartOf({ rates }) {
  return rates.map((rate, index) => (rate === null ? null : rate - data.curves[0].rates[index]));
}

// Where a rate may be that is printed as the one on the curve.
function precision() {
  if (!data.half_widths) return [];
  const here = steps.map((_, index) => index).filter((index) => data.half_widths[index] !== null);
  const side = (sign, fill) => ({
    x: here.map((index) => steps[index]), y: here.map((index) => sign * data.half_widths[index]), yaxis: "y2",
    mode: "lines", line: { width: 0 }, fill, fillcolor: "#d0d0d0", hoverinfo: "skip", showlegend: false,
  });
  return [side(-1, "none"), side(1, "tonexty")];
}

function hoverText(number, index) {
  const rate = data.curves[number].rates[index];
  if (rate === null) return "";
  if (!withDifferences) return `${where(index)}<br>rate ${rateText(rate)}`;
  const apart = rate - data.curves[0].rates[index];
  const difference = number ? ` (${apart < 0 ? "−" : "+"}${rateText(Math.abs(apart))})` : "";
  const { mark, name } = data.curves[number];
  return `${number ? "" : `${where(index)}<br>`}${narrow ? mark : escaped(name)}: ${rateText(rate)}${difference}`;
}

function rateRange() {
  const top = data.peak || 1;
  if (scale === "linear") return [-0.02 * top, 1.16 * top];
  const [low, high] = [Math.log10(data.lowest), Math.log10(top)];
  return [low, high + 0.16 * (high - low)];
}

function apartRange() {
  const widths = (data.half_widths || []).flatMap((width) => [width, -width]);
  const apart = [...data.curves.flatMap(apartOf), ...widths];
  const [low, high] = apart.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [0, 0]);
  const space = 0.08 * (high - low) || 0.01 * (data.peak || 1);
  return [low - space, high + space];
}

function shapes() {
  const bands = data.bands.map((band) => ({
    type: "rect", layer: "below", yref: "y domain", y0: 0, y1: 1, x0: band.first_step, x1: band.stop,
    fillcolor: band.colour, opacity: band.opacity, line: { color: band.colour, width: band.narrow ? 1.2 : 0 },
  }));
  const restarts = data.restarts.map((step) => ({
    type: "line", layer: "below", yref: "y domain", y0: 0, y1: 1, x0: step, x1: step,
    line: { color: data.restart_colour, width: 1, dash: "dash" },
  }));
  const mark = data.mark && [{
    type: "line", yref: "paper", y0: 0, y1: 1, x0: data.mark.position, x1: data.mark.position,
    line: { color: "#333333", width: 1, dash: "dash" },
  }];
  return [...bands, ...restarts, ...(mark || [])];
}

function names([first, stop]) {
  const perStep = width() / (stop - first);
  return data.bands.flatMap((band) => {
    const [left, right] = [Math.max(band.first_step, first), Math.min(band.stop, stop)];
    const text = [band.label, band.short].find((name) => name && name.length * 7 + 8 <= (right - left) * perStep);
    if (!text) return [];
    const [x, font] = [(left + right) / 2, { size: 12 }];
    return [{ x, y: 1, yref: "y domain", yanchor: "top", text, showarrow: false, font }];
  });
}

function mark([first, stop]) {
  if (!data.mark || data.mark.position < first || data.mark.position > stop) return [];
  const share = (data.mark.position - first) / (stop - first);
  const late = share > 0.5;
  return [{ x: data.mark.position, y: 1, yref: "y domain", yanchor: "top", xanchor: late ? "right" : "left",
    text: wrapped(data.mark.text, width() * (late ? share : 1 - share)), align: late ? "right" : "left",
    showarrow: false, font: { size: 12 } }];
}

function points([first, stop]) {
  const inside = data.points.filter(({ step }) => first <= step && step <= stop);
  return inside.map(({ step, rate, words }, number) => ({
    x: step, y: scale === "log" ? Math.log10(Math.max(rate, data.lowest)) : rate,
    text: `${words}: ${rateText(rate, 4)}`, arrowhead: 6, arrowwidth: 1,
    arrowcolor: "#333333", ax: step - first < (stop - first) / 2 ? 60 : -60,
    ay: (rate > data.peak / 2 ? 1 : -1) * (24 + 18 * (number % 3)),
    bgcolor: "rgba(255, 255, 255, 0.75)", font: { size: 12 },
  }));
}

function roundNumbers(first, stop, about) {
  const raw = (stop - first) / Math.max(2, about);
  const power = 10 ** Math.floor(Math.log10(raw));
  const every = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw * 0.999);
  const [begin, end] = [Math.ceil(first / every - 1e-9), Math.floor(stop / every + 1e-9)];
  return Array.from({ length: end - begin + 1 }, (_, index) => Number(((begin + index) * every).toPrecision(12)));
}

function stepTicks([first, stop]) {
  const round = roundNumbers(first, stop, width() / 90);
  const whole = data.unit === "epoch" ? round : round.filter(Number.isInteger);
  const text = (step) => (data.total < 1e10 ? grouped(step) : step && step.toExponential().replace("+", ""));
  return { tickvals: whole, ticktext: whole.map(text) };
}

function epochTicks([first, stop]) {
  const epochs = roundNumbers(first / data.per_epoch, stop / data.per_epoch, width() / 70);
  return { tickvals: epochs.map((epoch) => epoch * data.per_epoch), ticktext: epochs.map(grouped) };
}

function rateTicks([low, high], scale) {
  let rates = [];
  if (scale === "linear") rates = roundNumbers(low, high, 6);
  else if (high - low < 1.2) rates = roundNumbers(10 ** low, 10 ** high, 6);
  else for (let power = Math.ceil(low); power <= high; power += 1) rates.push(10 ** power);
  return { tickvals: rates, ticktext: rates.map((rate) => rateText(rate)) };
}

function layout() {
  const line = { showline: true, linecolor: grey, ticks: "outside", tickcolor: grey, zeroline: false };
  const x = { ...line, range: wholeRun(), minallowed: data.begin, maxallowed: data.total, showgrid: false,
    tickmode: "array" };
  const rates = { ...line, type: scale, range: rateRange(), gridcolor: "#d9d9d9", tickmode: "array" };
  const made = {
    margin, hovermode: "x", dragmode: "zoom", showlegend: withDifferences, shapes: shapes(),
    annotations: [...names(wholeRun()), ...mark(wholeRun()), ...points(wholeRun())],
    paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff",
    font: { color: "#1a1a1a", size: 13, family: "system-ui, sans-serif" },
    hoverlabel: { bgcolor: "#ffffff", bordercolor: grey, font: { color: "#1a1a1a", size: 13 }, align: "left" },
    legend: { orientation: "h", traceorder: "normal", y: narrow ? -0.24 : -0.16, yanchor: "top", x: 0 },
    xaxis: { ...x, ...stepTicks(wholeRun()), title: { text: data.unit }, anchor: withDifferences ? "y2" : "y" },
    yaxis: { ...rates, ...rateTicks(rateRange(), scale), automargin: "left",
      title: { text: "learning rate", standoff: 8 }, domain: [withDifferences ? 0.34 : 0, 1] },
  };
  if (withDifferences) {
    made.yaxis2 = { ...rates, ...rateTicks(apartRange(), "linear"), type: "linear", range: apartRange(),
      automargin: "left", title: { text: data.difference, standoff: 8 }, domain: [0, 0.28],
      zeroline: true, zerolinecolor: "#555555" };
  }
  if (data.per_epoch) {
    made.xaxis2 = { ...x, title: { text: "epoch" }, side: "top", overlaying: "x", matches: "x", anchor: "y",
      ...epochTicks(wholeRun()) };
  }
  return made;
}

// --- what one can do with it ---

const shown = (axis) => picture.layout[axis].range.map(Number);
const axes = () => Object.keys(picture.layout).filter((name) => /axis/.test(name));
const view = () => [scale, width(), picture.clientWidth, ...axes().map(shown)].join();
let followed = "";

async function follow() {
  if (view() === followed) return;
  followed = view();
  const steps = shown("xaxis");
  const changes = { annotations: [...names(steps), ...mark(steps), ...points(steps)] };
  const ticks = { xaxis: stepTicks(steps), yaxis: rateTicks(shown("yaxis"), scale) };
  if (withDifferences) ticks.yaxis2 = rateTicks(shown("yaxis2"), "linear");
  if (data.per_epoch) ticks.xaxis2 = epochTicks(steps);
  for (const [axis, { tickvals, ticktext }] of Object.entries(ticks)) {
    Object.assign(changes, { [`${axis}.tickvals`]: tickvals, [`${axis}.ticktext`]: ticktext });
  }
  await Plotly.relayout(picture, changes);
}

function showAll() {
  const whole = { "xaxis.range": wholeRun(), "yaxis.type": scale, "yaxis.range": rateRange() };
  if (withDifferences) whole["yaxis2.range"] = apartRange();
  if (!data.leaves.length) return Plotly.relayout(picture, whole);
  document.getElementById("below").hidden = scale !== "log";
  return Plotly.update(picture, { visible: scale === "log" }, whole, [picture.data.length - 1]);
}

function press(name) {
  scale = name;
  for (const button of document.querySelectorAll("button[data-scale]")) {
    button.setAttribute("aria-pressed", String(button.dataset.scale === scale));
  }
  return showAll();
}

const config = { scrollZoom: true, doubleClick: false, showTips: false, displaylogo: false, responsive: true,
  displayModeBar: narrow ? false : "hover", modeBarButtons: [["toImage", "zoom2d", "pan2d"]] };
Plotly.newPlot(picture, curves(), layout(), config).then(() => {
  followed = view();
  picture.on("plotly_relayout", follow);
  picture.on("plotly_update", follow);
  picture.on("plotly_doubleclick", () => { showAll(); });
  for (const button of document.querySelectorAll("button[data-scale]")) {
    button.addEventListener("click", () => press(button.dataset.scale));
  }
  document.getElementById("whole").addEventListener("click", showAll);
  window.addEventListener("resize", () => {
    if (withDifferences) Plotly.restyle(picture, { name: data.curves.map(named) }, data.curves.map((_, number) => number));
    follow();
  });
});
