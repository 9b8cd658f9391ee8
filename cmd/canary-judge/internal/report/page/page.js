"use strict";
// The points of a plot are read one at a time: with the mouse over it, or with the
// arrow keys on the slider below it.
const times = document.querySelector("main").dataset.times.split(" ");
const words = {
  arms: ([baseline, canary], i) => `${times[i]}: baseline ${baseline}, canary ${canary}`,
  effect: ([at, look, estimate, interval, decision]) => `${at}, look ${look}: change ${estimate}, interval ${interval}, ${decision}`,
};

function enliven(plot) {
  const svg = plot.querySelector("svg"), slider = plot.querySelector("input"), output = plot.querySelector("output");
  const points = plot.dataset.points.split(" ").map((p) => p.split(",").map((v) => (v === "" ? null : Number(v))));
  const says = plot.dataset.says.split("|");
  const marks = points[0].slice(1).map((_, i) => {
    const mark = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    mark.setAttribute("class", "p" + i);
    mark.setAttribute("r", 4);
    return svg.appendChild(mark);
  });
  const show = () => {
    const [x, ...ys] = points[slider.value];
    ys.forEach((y, i) => {
      marks[i].setAttribute("visibility", y === null ? "hidden" : "visible");
      marks[i].setAttribute("cx", x);
      marks[i].setAttribute("cy", y === null ? 0 : y);
    });
    const text = words[plot.dataset.kind](says[slider.value].split(";"), slider.value);
    output.textContent = text;
    slider.setAttribute("aria-valuetext", text);
  };
  slider.addEventListener("input", show);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    let nearest = 0;
    points.forEach((p, i) => { if (Math.abs(p[0] - x) < Math.abs(points[nearest][0] - x)) nearest = i; });
    slider.value = nearest;
    show();
  });
  plot.querySelector(".scrub").hidden = false;
  show();
}

// Plots of metrics that are folded away are not worth their time before they are seen.
for (const plot of document.querySelectorAll(".plot")) {
  const metric = plot.closest("details");
  if (metric.open) enliven(plot);
  else metric.addEventListener("toggle", () => enliven(plot), { once: true });
}

// A link to a metric opens it, and paper shows all metrics; queries and config are for the screen.
const open = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target && target.tagName === "DETAILS") { target.open = true; target.scrollIntoView(); }
};
addEventListener("hashchange", open);
addEventListener("beforeprint", () => document.querySelectorAll("details.metric").forEach((d) => { d.open = true; }));
open();
