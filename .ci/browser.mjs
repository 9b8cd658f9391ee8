// Called by .ci/browser: node browser.mjs DIRECTORY [SCREENSHOTS]. DIRECTORY has a
// NAME.html and the NAME.json it was rendered from.
import { readdirSync, readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [directory, screenshots] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let failures = 0;

function check(file, holds, what) {
  if (holds) return;
  failures++;
  console.error(`${file}: ${what}`);
}

// points counts what the plots of a result must show.
function points(result) {
  const finite = (v) => v !== null;
  return result.metrics.map((m, i) => ({
    name: m.name,
    arms: Math.min(m.series.baseline.length, m.series.canary.length),
    effect: result.looks.filter((l) => finite(l.metrics[i].lower) || finite(l.metrics[i].upper)).length,
  }));
}

async function plots(page, file, result) {
  const seen = await page.$$eval("details.metric", (all) => all.map((d) => {
    const count = (kind) => {
      const plot = d.querySelector(`[data-kind=${kind}]`);
      if (!plot) return { points: 0, says: 0, lines: 0 };
      return {
        points: plot.dataset.points.split(" ").length, says: plot.dataset.says.split("|").length,
        lines: plot.querySelectorAll("svg path").length,
      };
    };
    return { name: d.querySelector(".name").textContent, arms: count("arms"), effect: count("effect") };
  }));
  for (const want of points(result)) {
    const got = seen.find((m) => m.name === want.name);
    for (const kind of ["arms", "effect"]) {
      check(file, got && got[kind].points === want[kind] && got[kind].says === want[kind],
        `${want.name}: the plot of the ${kind} has ${got?.[kind].points} points, the result ${want[kind]}`);
      check(file, want[kind] === 0 || got?.[kind].lines > 0, `${want.name}: the plot of the ${kind} draws nothing`);
    }
  }
}

// paper is for who files the report: four metrics fit on three sheets.
async function paper(page, file, result) {
  if (result.metrics.length > 4) return;
  const sheets = (await page.pdf({ format: "A4" })).toString("latin1").match(/\/Type\s*\/Page\b/g).length;
  check(file, sheets <= 3, `on paper it takes ${sheets} sheets`);
}

// keyboard goes through the page as someone without a mouse does.
async function keyboard(page, file) {
  await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
  await page.waitForTimeout(100);
  const want = await page.$$eval("summary, .scrub:not([hidden]) input, nav a", (all) => all.length);
  let reached = 0, read = 0;
  for (let i = 0; i < 400; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const e = document.activeElement;
      return e === document.body ? "" : e.matches("nav a") ? "link" : e.localName;
    });
    if (at === "") break;
    if (["summary", "input", "link"].includes(at)) reached++;
    if (at !== "input") continue;
    const says = () => page.evaluate(() => document.activeElement.closest(".plot").querySelector("output").textContent);
    const last = await says();
    await page.keyboard.press("Home");
    const first = await says(), lone = await page.evaluate(() => document.activeElement.max === "0");
    if (/\d/.test(first) && (lone || first !== last)) read++;
  }
  const sliders = await page.$$eval(".scrub:not([hidden]) input", (all) => all.length);
  check(file, reached >= want, `Tab reaches ${reached} of ${want} links, folds and plots`);
  check(file, read === sliders, `the arrow keys read the points of ${read} of ${sliders} plots`);
}

// pointer reads the point under the mouse.
async function pointer(page, file) {
  const plot = await page.$("details[open] .plot svg");
  if (!plot) return;
  await plot.scrollIntoViewIfNeeded();
  const box = await plot.boundingBox();
  const says = () => page.$eval("details[open] .plot output", (o) => o.textContent);
  await page.mouse.move(box.x + 0.1 * box.width, box.y + box.height / 2);
  const left = await says();
  await page.mouse.move(box.x + 0.95 * box.width, box.y + box.height / 2);
  check(file, left !== (await says()), "the mouse reads the same point everywhere");
}

async function accessible(page, file, scheme) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  for (const v of violations) {
    check(file, false, `axe, ${scheme}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html).join(" ")}`);
  }
}

const colours = (page) => page.evaluate(() => {
  const of = (selector, property) => { const e = document.querySelector(selector); return e && getComputedStyle(e)[property]; };
  return [of("body", "backgroundColor"), of("body", "color"), of(".stroke-canary", "stroke"), of(".stroke-baseline", "stroke"), of("svg .fill-ink", "fill")];
});

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
if (screenshots) mkdirSync(screenshots, { recursive: true });
const names = readdirSync(directory).filter((f) => f.endsWith(".html"));
for (const name of names) {
  const page = await browser.newPage({ viewport: { width: 1100, height: 900 }, colorScheme: "light" });
  const address = "file://" + join(directory, name);
  page.on("request", (r) => check(name, r.url() === address, `it asks for ${r.url()}`));
  page.on("console", (m) => check(name, m.type() !== "error", `it complains: ${m.text()}`));
  page.on("pageerror", (e) => check(name, false, `its script fails: ${e}`));
  await page.goto(address);
  const result = JSON.parse(readFileSync(join(directory, name.replace(/html$/, "json")), "utf8"));
  await plots(page, name, result);
  await pointer(page, name);
  const light = await colours(page);
  await accessible(page, name, "light");
  if (screenshots) await page.screenshot({ path: join(screenshots, name.replace(/html$/, "light.png")), fullPage: true });
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await colours(page);
  light.forEach((c, i) => check(name, c === null || c !== dark[i], `colour ${i} is ${c} in light and in dark`));
  await accessible(page, name, "dark");
  if (screenshots) await page.screenshot({ path: join(screenshots, name.replace(/html$/, "dark.png")), fullPage: true });
  await page.emulateMedia({ colorScheme: "light" });
  await paper(page, name, result);
  await page.reload();
  await keyboard(page, name);
  await accessible(page, name, "all unfolded");
  await page.close();
}
for (const colorScheme of ["light", "dark"]) {
  const page = await browser.newPage({ viewport: { width: 400, height: 800 }, colorScheme });
  await page.goto("file://" + join(directory, "..", "ledger.html"));
  await accessible(page, "ledger.html", colorScheme);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  check("ledger.html", width <= 400, `it is ${width} wide on a phone`);
  if (screenshots) await page.screenshot({ path: join(screenshots, `ledger.${colorScheme}.png`), fullPage: true });
  await page.close();
}
await browser.close();
console.log(`${names.length} reports opened, ${failures} complaints`);
process.exit(failures || !names.length ? 1 : 0);
