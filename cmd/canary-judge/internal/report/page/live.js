"use strict";
// The page is read anew when the run has gone on. What the reader has opened stays open.
const opened = JSON.parse(sessionStorage.getItem("opened") || "[]");
document.querySelectorAll("details[id]").forEach((d) => { if (opened.includes(d.id)) d.open = true; });
new EventSource("events?" + document.querySelector("main").dataset.state).addEventListener("look", () => {
  const open = [...document.querySelectorAll("details[id][open]")].map((d) => d.id);
  sessionStorage.setItem("opened", JSON.stringify(open));
  location.reload();
});
