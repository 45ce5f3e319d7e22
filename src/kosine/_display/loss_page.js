// Draws what the element #data says with plotly: losses over learning rates, and rows of rates below them.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const picture = document.getElementById("picture");
const narrow = picture.clientWidth < 600;
const grey = "#8c8c8c";
const rows = data.spreads.length;
const split = rows ? 0.08 + 0.05 * rows : 0;
const [lowest, highest] = data.losses;
const nearTop = highest - 0.03 * (highest - lowest);
const logs = data.rates.map(Math.log10);

const decimal = (rate) => Number(rate.toPrecision(2)).toLocaleString("en-US", { useGrouping: false, maximumFractionDigits: 12 });
const power = (rate) => Number(rate.toPrecision(2)).toExponential().replace("+", "");
const rateText = (rate) => (data.scientific ? power(rate) : decimal(rate));

function series({ rates, losses, name, kind, colour }) {
  const mode = kind === "dots" ? "markers" : rates.length <= 16 ? "lines+markers" : "lines";
  return {
    x: rates, y: losses, name, mode, showlegend: name !== "", opacity: kind === "line" ? 1 : kind === "pale" ? 0.35 : 0.6,
    line: { color: colour, width: kind === "pale" ? 1 : 2 }, marker: { color: colour, size: 7 },
    hovertemplate: kind === "pale" ? null : `%{x:.2~g}: %{y:.4~g}<extra>${name}</extra>`,
    hoverinfo: kind === "pale" ? "skip" : undefined,
  };
}

function spread({ ends, rate, text }, row) {
  const place = { yaxis: "y2", showlegend: false, hoverinfo: "skip" };
  return [
    { ...place, x: ends, y: [row, row], mode: "lines", opacity: 0.35, line: { color: data.spread_colour, width: 5 } },
    { ...place, x: [rate], y: [row], mode: "markers+text", marker: { color: data.spread_colour, size: 8 }, text: [text],
      textposition: "top center", textfont: { size: 11 }, cliponaxis: false },
  ];
}

// Names that a legend has and the curves have not: the shaded band, and what diverged.
function extras() {
  const band = data.band ? [{ x: [null], y: [null], name: data.band_name, mode: "markers",
    marker: { symbol: "square", size: 12, color: data.band_colour, opacity: 2 * data.band_opacity } }] : [];
  const off = data.off.length ? [{ x: data.off, y: data.off.map(() => nearTop), name: "diverged", mode: "markers",
    marker: { symbol: "x-thin", size: 9, line: { color: data.off_colour, width: 2 } }, hovertemplate: "%{x:.2~g}<extra>diverged</extra>" }] : [];
  return [...band, ...off];
}

function ticks() {
  const every = logs[1] - logs[0] > 3 ? [1] : [1, 2, 5];
  const found = [];
  for (let exponent = Math.floor(logs[0]); exponent <= Math.ceil(logs[1]); exponent += 1) {
    for (const first of every) found.push(Number(`${first}e${exponent}`));
  }
  return { tickvals: found, ticktext: found.map(rateText) };
}

const whole = () => ({ "xaxis.range": [...logs], "yaxis.range": [...data.losses] });

function layout() {
  const line = { showline: true, linecolor: grey, ticks: "outside", tickcolor: grey, zeroline: false };
  const made = {
    margin: { l: narrow ? 60 : 80, r: 20, t: 20, b: 45 }, hovermode: "closest", dragmode: "zoom", showlegend: true,
    paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff",
    font: { color: "#1a1a1a", size: 13, family: "system-ui, sans-serif" },
    hoverlabel: { bgcolor: "#ffffff", bordercolor: grey, font: { color: "#1a1a1a", size: 13 } },
    legend: { orientation: "h", y: narrow ? -0.24 : -0.16, yanchor: "top", x: 0 },
    xaxis: { ...line, type: "log", range: [...logs], showgrid: false, ...ticks(), tickangle: 0,
      title: { text: "learning rate" }, anchor: rows ? "y2" : "y" },
    yaxis: { ...line, range: [...data.losses], gridcolor: "#d9d9d9", automargin: "left",
      title: { text: "loss", standoff: 8 }, domain: [rows ? split + 0.05 : 0, 1] },
    shapes: data.band ? [{ type: "rect", layer: "below", yref: "paper", y0: 0, y1: 1, x0: data.band[0], x1: data.band[1],
      fillcolor: data.band_colour, opacity: data.band_opacity, line: { width: 0 } }] : [],
  };
  if (rows) {
    made.yaxis2 = { ...line, range: [rows - 0.5, -0.9], fixedrange: true, showgrid: false, automargin: "left",
      tickvals: data.spreads.map((_, row) => row), ticktext: data.spreads.map(({ name }) => name), domain: [0, split] };
  }
  return made;
}

const config = { scrollZoom: true, doubleClick: false, showTips: false, displaylogo: false, responsive: true,
  displayModeBar: narrow ? false : "hover", modeBarButtons: [["toImage", "zoom2d", "pan2d"]] };
Plotly.newPlot(picture, [...data.series.map(series), ...extras(), ...data.spreads.flatMap(spread)], layout(), config).then(() => {
  const showAll = () => Plotly.relayout(picture, whole());
  picture.on("plotly_doubleclick", () => { showAll(); });
  document.getElementById("whole").addEventListener("click", showAll);
});
