// Cutting head and tail of a recording: the waveform with two handles, the same values in two fields, all by keyboard too.
import WaveSurfer from "wavesurfer.js";
import Regions from "wavesurfer.js/plugins/regions";

const LEAST_S = 1;
const SHADE = "rgba(255, 255, 255, .78)";

const place = document.querySelector("[data-trim]");

// 3 minutes, 2.5 seconds: 3:02,5 (and the dot in English)
function written(seconds) {
  const tenths = Math.round(seconds * 10);
  const mark = document.documentElement.lang === "en" ? "." : ",";
  return `${Math.floor(tenths / 600)}:${String(Math.floor((tenths % 600) / 10)).padStart(2, "0")}${mark}${tenths % 10}`;
}

function read(text) {
  const found = text.trim().match(/^(?:(\d{1,3}):)?(\d{1,5})(?:[.,](\d))?\d*$/);
  return found ? Number(found[1] ?? 0) * 60 + Number(found[2]) + Number(found[3] ?? 0) / 10 : null;
}

async function equip() {
  const words = place.dataset;
  const total = Number(words.duration);
  const fields = { start: document.querySelector("#f-start"), end: document.querySelector("#f-end") };
  const kept = document.querySelector("[data-trim-kept]");
  const audio = place.querySelector("audio");
  const answer = await fetch(words.peaks);
  if (!answer.ok) return;
  const { peaks } = await answer.json();
  const regions = Regions.create();
  const wave = WaveSurfer.create({
    container: place.querySelector("[data-trim-wave]"),
    cspNonce: words.nonce,
    media: audio,
    peaks: [peaks.map((peak) => peak / 100)],
    duration: total,
    height: 96,
    barWidth: 3,
    barGap: 2,
    barRadius: 2,
    waveColor: "#0B5560",
    progressColor: "#083F48",
    cursorColor: "#98001F",
    cursorWidth: 2,
    hideScrollbar: true,
    plugins: [regions],
  });
  place.hidden = false;
  audio.hidden = true;
  let start = Math.min(read(fields.start.value) ?? 0, total - LEAST_S);
  let end = Math.max(read(fields.end.value) ?? total, start + LEAST_S);
  let stopAt = null;
  let parts = null;

  const show = (from) => {
    start = Math.max(0, Math.min(start, total - LEAST_S));
    end = Math.min(total, Math.max(end, start + LEAST_S));
    if (from !== "start") fields.start.value = written(start);
    if (from !== "end") fields.end.value = written(end);
    kept.textContent = words.kept.replace("{all}", written(total)).replace("{kept}", written(end - start));
    if (!parts) return;
    if (from !== "wave") parts.keep.setOptions({ start, end });
    parts.head.setOptions({ start: 0, end: start });
    parts.tail.setOptions({ start: end, end: total });
    for (const [name, value] of [["left", start], ["right", end]]) {
      const handle = parts.keep.element?.querySelector(`[part*="region-handle-${name}"]`);
      handle?.setAttribute("aria-valuenow", value.toFixed(1));
      handle?.setAttribute("aria-valuetext", written(value));
    }
  };
  const move = (which, by) => {
    if (which === "start") start = Math.min(start + by, end - LEAST_S);
    else end = Math.max(end + by, start + LEAST_S);
    show();
  };
  const typed = (which) => {
    const value = read(fields[which].value);
    if (value === null) return;
    if (which === "start") start = Math.min(value, end - LEAST_S);
    else end = Math.max(value, start + LEAST_S);
  };
  const step = (event) => ({ ArrowRight: 0.1, ArrowUp: 0.1, ArrowLeft: -0.1, ArrowDown: -0.1, PageUp: 1, PageDown: -1 })[event.key];

  wave.on("ready", () => {
    if (parts) return;
    const shade = { drag: false, resize: false, color: SHADE };
    parts = {
      head: regions.addRegion({ ...shade, start: 0, end: start }),
      tail: regions.addRegion({ ...shade, start: end, end: total }),
      keep: regions.addRegion({ start, end, drag: false, resize: true, minLength: LEAST_S, color: "rgba(0, 0, 0, 0)" }),
    };
    for (const [name, which, label] of [["left", "start", words.head], ["right", "end", words.tail]]) {
      const handle = parts.keep.element.querySelector(`[part*="region-handle-${name}"]`);
      handle.tabIndex = 0;
      handle.setAttribute("role", "slider");
      handle.setAttribute("aria-label", label);
      handle.setAttribute("aria-valuemin", "0");
      handle.setAttribute("aria-valuemax", total.toFixed(1));
      handle.addEventListener("keydown", (event) => {
        const by = step(event);
        if (!by) return;
        event.preventDefault();
        event.stopPropagation();
        move(which, by);
      });
    }
    parts.keep.on("update", () => {
      start = parts.keep.start;
      end = parts.keep.end;
      show("wave");
    });
    show();
  });
  for (const which of ["start", "end"]) {
    fields[which].addEventListener("keydown", (event) => {
      if (!["ArrowUp", "ArrowDown", "PageUp", "PageDown"].includes(event.key)) return;
      event.preventDefault();
      typed(which);
      move(which, step(event));
    });
    fields[which].addEventListener("change", () => {
      typed(which);
      show();
    });
  }
  const play = (from, to) => {
    stopAt = to;
    wave.setTime(from);
    wave.play().catch(() => {});
  };
  wave.on("timeupdate", (at) => {
    if (stopAt !== null && at >= stopAt) {
      stopAt = null;
      wave.pause();
    }
  });
  const acts = {
    all: () => play(start, end),
    head: () => play(start, Math.min(end, start + 3)),
    tail: () => play(Math.max(start, end - 3), end),
    stop: () => wave.pause(),
  };
  for (const button of place.querySelectorAll("[data-trim-play]")) button.addEventListener("click", () => acts[button.dataset.trimPlay]());
  for (const button of document.querySelectorAll("[data-trim-step]")) {
    button.hidden = false;
    button.addEventListener("click", () => move(button.dataset.trimOf, Number(button.dataset.trimStep)));
  }
}

if (place) equip().catch(() => {});
