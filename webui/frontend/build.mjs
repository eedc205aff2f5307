// Builds what the browser loads: bundles, fonts and one sprite of signs and icons, each under a name that holds its hash.
// Output: ../static/dist with manifest.json (logical name -> file) and a .gz beside every text file.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const target = path.join(here, "..", "static", "dist");
const fresh = `${target}.new`;

// Icons of @tabler/icons (outline), named as in the templates.
const ICONS = {
  home: "home", mic: "microphone", week: "calendar-week", duties: "checklist", log: "notebook", stations: "wave-sine",
  chart: "chart-bar", plus: "plus", check: "check", cross: "x", upload: "upload", download: "download", clock: "clock",
  back: "arrow-back-up", lock: "lock", user: "user", inbox: "inbox", filter: "filter", link: "link", pause: "player-pause",
  play: "player-play", stop: "player-stop", shield: "shield-check", settings: "settings", help: "help-circle",
  more: "dots", listen: "headphones", offline: "cloud-off", logout: "logout", language: "language", urgent: "urgent",
  scissors: "scissors", left: "chevron-left", right: "chevron-right", edit: "edit", silence: "volume-off", list: "list-details", tool: "tool", bell: "bell", photo: "photo", rss: "rss", world: "world",
};

function named(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10).toUpperCase();
  const { name: stem, ext } = path.parse(name);
  return `${stem}-${hash}${ext}`;
}

async function sprite() {
  const signs = await readFile(path.join(here, "src", "signs.svg"), "utf8");
  const symbols = [];
  for (const [name, tabler] of Object.entries(ICONS)) {
    const file = path.join(here, "node_modules", "@tabler", "icons", "icons", "outline", `${tabler}.svg`);
    const svg = await readFile(file, "utf8");
    const body = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
    symbols.push(`<symbol id="i-${name}" viewBox="0 0 24 24">${body.replace(/\s*\n\s*/g, "")}</symbol>`);
  }
  return signs.replace("</svg>", `${symbols.join("\n")}\n</svg>\n`);
}

// The calendar places its blocks by class: row q<n> of five minutes, n<n> rows long.
function calendarRows() {
  const rules = [];
  for (let row = 1; row <= 288; row += 1) rules.push(`.q${row}{grid-row-start:${row}}`);
  for (let rows = 1; rows <= 288; rows += 1) rules.push(`.band.r${rows}{grid-template-rows:repeat(${rows},18px)}`);
  for (let rows = 1; rows <= 72; rows += 1) rules.push(`.n${rows}{grid-row-end:span ${rows}}`);
  return rules.join("");
}

await rm(fresh, { recursive: true, force: true });
await mkdir(fresh, { recursive: true });
const result = await esbuild.build({
  absWorkingDir: here,
  entryPoints: { app: "src/app.js", talk: "src/talk.js", capture: "src/capture.js", week: "src/week.js", compose: "src/compose.js", trim: "src/trim.js", contribute: "src/contribute.js", style: "src/entry.css" },
  outdir: fresh,
  bundle: true,
  splitting: true,
  format: "esm",
  minify: true,
  target: ["es2020", "chrome90", "firefox90", "safari15"],
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".woff2": "file" },
  metafile: true,
  legalComments: "none",
  logLevel: "warning",
  logLimit: 5,
  plugins: [{
    name: "calendar-rows",
    setup(build) {
      build.onResolve({ filter: /^calendar-rows\.css$/ }, () => ({ path: "calendar-rows.css", namespace: "made" }));
      build.onLoad({ filter: /.*/, namespace: "made" }, () => ({ contents: calendarRows(), loader: "css" }));
    },
  }],
});

const manifest = {};
for (const [file, about] of Object.entries(result.metafile.outputs)) {
  const name = path.basename(file);
  const script = about.entryPoint?.match(/^src\/(app|talk|contribute|capture|compose|trim|week)\.js$/);
  if (script) manifest[`${script[1]}.js`] = name;
  else if (about.entryPoint === "src/entry.css") manifest["style.css"] = name;
  else if (name.endsWith(".woff2")) manifest[`${name.slice(0, name.lastIndexOf("-"))}.woff2`] = name;
}
const signs = await sprite();
manifest["sprite.svg"] = named("sprite.svg", signs);
await writeFile(path.join(fresh, manifest["sprite.svg"]), signs);
const icon = await readFile(path.join(here, "src", "icon.svg"));
manifest["icon.svg"] = named("icon.svg", icon);
await writeFile(path.join(fresh, manifest["icon.svg"]), icon);
for (const wanted of ["app.js", "talk.js", "contribute.js", "capture.js", "week.js", "compose.js", "trim.js", "style.css", "sprite.svg", "icon.svg", "inter-latin-wght-normal.woff2", "inter-vietnamese-wght-normal.woff2"]) {
  if (!manifest[wanted]) throw new Error(`the build made no ${wanted}`);
}
for (const name of await readdir(fresh)) {
  if (name.endsWith(".woff2")) continue;
  const content = await readFile(path.join(fresh, name));
  await writeFile(path.join(fresh, `${name}.gz`), gzipSync(content, { level: 9 }));
}
await writeFile(path.join(fresh, "manifest.json"), `${JSON.stringify(manifest, null, 1)}\n`);
// Swapped in whole, so that an interrupted build leaves the last good one.
const old = `${target}.old`;
await rm(old, { recursive: true, force: true });
await rename(target, old).catch((error) => { if (error.code !== "ENOENT") throw error; });
await rename(fresh, target);
await rm(old, { recursive: true, force: true });
console.log(`web assets: ${Object.values(manifest).join(" ")}`);
