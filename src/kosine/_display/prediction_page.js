// Draws what the element #data says with plotly: losses of past runs, their fit, and predicted losses with their ranges.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const picture = document.getElementById("picture");
const narrow = picture.clientWidth < 600;
const grey = "#8c8c8c";

// Plotly reads names as a kind of html, and what stands between dollar signs as a formula.
const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/\$/g, "&#36;");

function past({ name, steps, losses, fitted }) {
  const fit = { x: steps, y: fitted, name: "fit", mode: "lines", line: { color: data.fit_colour, width: 1.5 }, hoverinfo: "skip", showlegend: false };
  return [fit, { x: steps, y: losses, name: escaped(name), mode: "markers", marker: { color: data.past_colour, size: 4, opacity: 0.6 },
    hovertemplate: `%{x:,}: %{y:.4f}<extra>${escaped(name)}</extra>` }];
}

function plan({ name, colour, steps, curve, lows, highs }) {
  const edge = { mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false };
  const rgb = [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));
  const texts = steps.map((_, index) => `${curve[index].toFixed(4)} (${lows[index].toFixed(4)} to ${highs[index].toFixed(4)})`);
  return [
    { ...edge, x: steps, y: lows },
    { ...edge, x: steps, y: highs, fill: "tonexty", fillcolor: `rgba(${rgb.join(",")},${data.band})` },
    { x: steps, y: curve, name: escaped(name), mode: "lines", line: { color: colour, width: 2.5 }, text: texts, hovertemplate: "%{x:,}: %{text}<extra></extra>" },
  ];
}

const whole = () => ({ "xaxis.range": [0, data.end], "yaxis.range": [...data.losses] });

function layout() {
  const line = { showline: true, linecolor: grey, ticks: "outside", tickcolor: grey, zeroline: false };
  return {
    margin: { l: narrow ? 60 : 80, r: 20, t: 20, b: 45 }, hovermode: "closest", dragmode: "zoom", showlegend: true,
    paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff",
    font: { color: "#1a1a1a", size: 13, family: "system-ui, sans-serif" },
    hoverlabel: { bgcolor: "#ffffff", bordercolor: grey, font: { color: "#1a1a1a", size: 13 } },
    legend: { orientation: "h", y: narrow ? -0.24 : -0.16, yanchor: "top", x: 0, traceorder: "normal" },
    xaxis: { ...line, range: [0, data.end], showgrid: false, tickformat: ",", title: { text: "step" } },
    yaxis: { ...line, range: [...data.losses], gridcolor: "#d9d9d9", automargin: "left", title: { text: "loss", standoff: 8 } },
  };
}

const config = { scrollZoom: true, doubleClick: false, showTips: false, displaylogo: false, responsive: true,
  displayModeBar: narrow ? false : "hover", modeBarButtons: [["toImage", "zoom2d", "pan2d"]] };
Plotly.newPlot(picture, [...data.past.flatMap(past), ...data.plans.flatMap(plan)], layout(), config).then(() => {
  const showAll = () => Plotly.relayout(picture, whole());
  picture.on("plotly_doubleclick", () => { showAll(); });
  document.getElementById("whole").addEventListener("click", showAll);
});
