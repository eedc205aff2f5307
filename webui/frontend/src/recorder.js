// Recording in the browser: level with words, pause, hearing it again; every few seconds a piece goes to the shelf.
import * as shelf from "./shelf.js";

const SEGMENTS = 40;
const PIECE_MS = 3000;
const LOOK_MS = 100;
const HOLD_MS = 1500;
const BARS = 110;
const SPEECH_DBFS = -18;
const CLIPPING_DBFS = -1;
const LOW_DBFS = -42;
const KINDS = [
  ["audio/webm;codecs=opus", "webm"],
  ["audio/ogg;codecs=opus", "ogg"],
  ["audio/mp4", "m4a"],
];

// The same scale as the meters that the server draws: speech lights 25, the last 5 are clipping.
function lit(dbfs) {
  if (!(dbfs > -60)) return 0;
  if (dbfs <= SPEECH_DBFS) return Math.max(1, Math.round(((dbfs + 60) / (SPEECH_DBFS + 60)) * 25));
  if (dbfs <= CLIPPING_DBFS) return Math.round(25 + ((dbfs - SPEECH_DBFS) / (CLIPPING_DBFS - SPEECH_DBFS)) * 10);
  return Math.min(SEGMENTS, Math.round(35 + (dbfs - CLIPPING_DBFS) * 5));
}
const dbfs = (value) => (value > 0 ? 20 * Math.log10(value) : -Infinity);
const clock = (seconds) => `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

export const possible = () => window.isSecureContext && Boolean(navigator.mediaDevices?.getUserMedia) && Boolean(window.MediaRecorder);

// changed(file): called with the finished recording, or null when there is none any more.
// busy(): whether what was recorded last is on its way already; then it is not offered again.
export function equip(place, owner, changed, busy = async () => false) {
  const words = place.dataset;
  const find = (name) => place.querySelector(`[data-rec-${name}]`);
  const [big, again, finish, back] = ["big", "again", "finish", "back"].map(find);
  const [state, shown, line, wave, hear, settings] = ["state", "time", "words", "wave", "hear", "settings"].map(find);
  const bars = [...find("level").querySelectorAll("rect")];
  const audio = hear.querySelector("audio");
  let one = null; // the recording that is under way
  let last = null; // the one that is finished: {id, file}

  const say = (text) => { if (line.textContent !== text) line.textContent = text; };
  const level = (rms, peak) => {
    const count = lit(rms);
    const top = lit(peak);
    bars.forEach((bar, n) => bar.setAttribute("class", n < count || (top && n === top - 1) ? (n < 27 ? "g" : n < 35 ? "o" : "r") : ""));
    find("level").setAttribute("aria-label", count ? words.level.replace("{rms}", Math.round(rms)).replace("{peak}", Math.round(peak)) : words.nolevel);
  };
  const draw = (heights) => {
    const step = 560 / BARS;
    wave.setAttribute("d", heights.slice(-BARS).map((h, n) => `M${(n * step + 2.5).toFixed(1)} ${(20 - h).toFixed(1)}V${(20 + h).toFixed(1)}`).join(""));
  };
  const show = (name) => {
    place.dataset.state = name;
    state.hidden = name !== "recording" && name !== "paused";
    state.textContent = name === "paused" ? words.pausedWord : words.recordingWord;
    big.hidden = name === "done";
    big.setAttribute("aria-label", { idle: words.start, recording: words.pause, paused: words.resume }[name] ?? words.start);
    big.querySelector("use").setAttribute("href", name === "recording" ? words.iconPause : words.iconMic);
    again.hidden = name === "idle";
    finish.hidden = name !== "recording" && name !== "paused";
    hear.hidden = name !== "done";
    settings.hidden = name !== "idle";
    back.hidden = !(name === "idle" && last);
  };
  const release = () => {
    clearInterval(one?.look);
    one?.stream?.getTracks().forEach((track) => track.stop());
    one?.context?.close().catch(() => {});
    one?.wake?.release().catch(() => {});
    level(-Infinity, -Infinity);
  };
  const seconds = () => (one.before + (one.since === null ? 0 : performance.now() - one.since)) / 1000;

  const offer = (id, type, parts, length) => {
    const suffix = KINDS.find(([kind]) => kind.split(";")[0] === type.split(";")[0])?.[1] ?? "webm";
    const file = new File(parts, `${words.name}-${id.slice(0, 13).replace("T", "-")}.${suffix}`, { type });
    last = { id, file, length };
    if (audio.src) URL.revokeObjectURL(audio.src);
    audio.src = URL.createObjectURL(file);
    shown.textContent = clock(length);
    show("done");
    changed(file);
  };

  const look = () => {
    one.analyser.getFloatTimeDomainData(one.samples);
    let peak = 0;
    let sum = 0;
    for (const value of one.samples) {
      peak = Math.max(peak, Math.abs(value));
      sum += value * value;
    }
    const rms = dbfs(Math.sqrt(sum / one.samples.length));
    const top = dbfs(peak);
    const now = performance.now();
    if (top >= one.top || now - one.topAt > HOLD_MS) Object.assign(one, { top, topAt: now });
    if (one.since !== null) {
      one.recent.push([rms, top]);
      if (one.recent.length > 30) one.recent.shift();
      one.looks += 1;
      if (one.looks % 3 === 0) {
        one.heights.push(Math.max(1, Math.min(17, ((rms + 60) / 60) * 20)));
        draw(one.heights);
      }
      shown.textContent = clock(seconds());
      if (one.recent.some(([, p]) => p > -0.3)) say(words.high);
      else if (one.recent.length === 30 && one.recent.every(([r]) => r < LOW_DBFS)) say(words.low);
      else say(words.good);
    }
    level(rms, one.top);
  };

  const begin = async () => {
    const mine = { before: 0, since: null, top: -Infinity, topAt: 0, recent: [], heights: [], looks: 0, parts: [], n: 0 };
    one = mine;
    big.disabled = true;
    say(words.asking);
    try {
      mine.stream = await navigator.mediaDevices.getUserMedia({
        audio: {
          channelCount: 1,
          // There is no far end to cancel, and cancelling dulls a voice. Loudness is evened out by the server anyway.
          echoCancellation: false,
          noiseSuppression: settings.querySelector("[name=rec_noise]").checked,
          autoGainControl: settings.querySelector("[name=rec_gain]").checked,
        },
      });
      mine.kind = KINDS.find(([type]) => MediaRecorder.isTypeSupported(type))?.[0] ?? "";
      mine.recorder = new MediaRecorder(mine.stream, { mimeType: mine.kind, audioBitsPerSecond: 128000 });
      mine.context = new AudioContext();
      mine.analyser = mine.context.createAnalyser();
      mine.analyser.fftSize = 4096;
      mine.samples = new Float32Array(mine.analyser.fftSize);
      mine.context.createMediaStreamSource(mine.stream).connect(mine.analyser);
    } catch (error) {
      release();
      one = null;
      say(error?.name === "NotFoundError" ? words.nomic : words.denied);
      return;
    } finally {
      big.disabled = false;
    }
    if (last) await discard(last.id);
    last = null;
    changed(null);
    mine.id = new Date().toISOString().replace(/[-:]/g, "").replace(".", "") + Math.random().toString(36).slice(2, 6);
    const meta = () => ({ key: owner, id: mine.id, type: mine.recorder.mimeType || mine.kind, seconds: seconds() });
    mine.recorder.addEventListener("dataavailable", (event) => {
      if (!event.data.size) return;
      mine.parts.push(event.data);
      const n = mine.n;
      mine.n += 1;
      mine.writing = (mine.writing ?? Promise.resolve())
        .then(() => event.data.arrayBuffer())
        .then((bytes) => shelf.put("pieces", { sound: mine.id, n, bytes }))
        .then(() => shelf.put("sounds", meta()))
        .catch(() => {});
    });
    mine.recorder.addEventListener("stop", async () => {
      const length = seconds();
      release();
      await mine.writing;
      one = null;
      offer(mine.id, mine.recorder.mimeType || mine.kind, mine.parts, length);
      say(words.done);
    });
    // A microphone that is pulled out ends it, and what was recorded stays.
    mine.stream.getAudioTracks()[0].addEventListener("ended", end);
    mine.recorder.start(PIECE_MS);
    mine.since = performance.now();
    mine.look = setInterval(look, LOOK_MS);
    shelf.ask();
    navigator.wakeLock?.request("screen").then((wake) => { mine.wake = wake; }).catch(() => {});
    say(words.good);
    show("recording");
  };
  const pause = () => {
    one.recorder.requestData();
    one.recorder.pause();
    one.before = seconds() * 1000;
    one.since = null;
    say(words.paused);
    show("paused");
  };
  const resume = () => {
    one.recorder.resume();
    one.since = performance.now();
    show("recording");
  };
  function end() {
    if (one && one.recorder?.state !== "inactive") {
      one.before = seconds() * 1000;
      one.since = null;
      one.recorder.stop();
    }
  }
  const discard = async (id) => {
    await shelf.removePieces(id).catch(() => {});
    const kept = await shelf.get("sounds", owner).catch(() => null);
    if (kept?.id === id) await shelf.remove("sounds", owner).catch(() => {});
  };

  big.addEventListener("click", () => {
    if (!one) begin();
    else if (one.since === null) resume();
    else pause();
  });
  finish.addEventListener("click", end);
  again.addEventListener("click", () => {
    audio.pause();
    const start = () => {
      shown.textContent = "00:00";
      draw([]);
      say(words.ready);
      changed(null);
      show("idle");
      big.focus();
    };
    if (one) {
      // What is under way is finished first, so that it can be taken back until a new one begins.
      one.recorder.addEventListener("stop", () => setTimeout(start, 0), { once: true });
      const length = seconds();
      one.recorder.addEventListener("stop", () => { if (last) last.length = length; }, { once: true });
      end();
    } else {
      start();
    }
  });
  back.addEventListener("click", () => {
    shown.textContent = clock(last.length);
    changed(last.file);
    say(words.done);
    show("done");
  });
  window.addEventListener("beforeunload", (event) => {
    if (one) event.preventDefault();
  });

  show("idle");
  say(words.ready);
  // What a crash or a closed page left.
  shelf.get("sounds", owner).then(async (kept) => {
    if (!kept || one || last || (await busy())) return;
    const parts = await shelf.pieces(kept.id);
    if (!parts.length) return;
    offer(kept.id, kept.type, parts.map((part) => part.bytes), kept.seconds);
    say(words.found);
  }).catch(() => {});

  return {
    forget: async () => {
      const kept = last ?? (await shelf.get("sounds", owner).catch(() => null));
      if (kept) await discard(kept.id);
    },
  };
}
