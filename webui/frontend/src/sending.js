// Sending a file over a bad link: in parts by tus, going on by itself after cuts, after a closed page and a closed browser.
import { Upload } from "tus-js-client";
import * as shelf from "./shelf.js";

const PART = 2 * 1048576;
const LONGEST_WAIT_S = 30;

const megabytes = (bytes, exact) => (bytes / 1048576).toLocaleString(document.documentElement.lang, { maximumFractionDigits: exact ? 1 : 0 });

function timeLeft(seconds, words) {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return words.seconds.replace("{n}", whole);
  return words.minutes.replace("{n}", Math.floor(whole / 60)).replace("{s}", whole % 60);
}

// entry: {url, owner, name, size, blob}. box: a clone of the page's template; words: its data attributes.
export function send(entry, box, token, { done, gone }) {
  const words = box.dataset;
  const bar = box.querySelector("progress");
  const line = box.querySelector("[data-send-line]");
  const note = box.querySelector("[data-send-note]");
  const pause = box.querySelector("[data-send-pause]");
  const cancel = box.querySelector("[data-send-cancel]");
  const exact = entry.size < 10485760;
  let blob = entry.blob;
  let upload = null;
  let waiting = null;
  let wait = 1;
  let cuts = 0;
  let sent = 0;
  let from = null;
  let paused = false;
  let over = false;

  box.querySelector("[data-send-name]").textContent = entry.name;
  bar.max = entry.size;

  const show = (amount) => {
    sent = amount;
    bar.value = amount;
    const done = megabytes(amount, exact);
    const total = megabytes(entry.size, exact);
    bar.setAttribute("aria-label", words.label.replace("{done}", done).replace("{total}", total));
    if (from && amount > from.bytes) {
      const left = ((performance.now() - from.at) / 1000 / (amount - from.bytes)) * (entry.size - amount);
      line.textContent = words.line.replace("{done}", done).replace("{total}", total).replace("{time}", timeLeft(left, words));
    } else {
      line.textContent = words.begun.replace("{done}", done).replace("{total}", total);
    }
  };
  const say = (text, bad = false) => {
    if (note.textContent !== text) note.textContent = text;
    note.classList.toggle("err", bad);
  };
  const held = () => words.held.replace("{done}", megabytes(sent, exact)).replace("{total}", megabytes(entry.size, exact));
  const button = () => { pause.querySelector("span").textContent = paused ? words.resume : words.pause; };
  const stop = () => {
    clearTimeout(waiting);
    waiting = null;
    upload?.abort().catch(() => {});
    upload = null;
  };
  const halt = (text) => {
    paused = true;
    stop();
    button();
    say(text, true);
  };

  const failed = (error) => {
    if (over || paused) return;
    upload = null;
    const status = error.originalResponse?.getStatus() ?? 0;
    if (status === 404 || status === 410) {
      over = true;
      shelf.remove("outbox", entry.url).catch(() => {});
      say(words.gone, true);
      pause.hidden = true;
      gone?.();
    } else if (status === 401) {
      halt(words.session);
    } else if (status === 400 || status === 403) {
      halt(words.reload);
    } else if (status === 0 || status === 409 || status === 423 || (status >= 500 && status !== 507)) {
      if (status === 0) cuts += 1;
      say(held());
      waiting = setTimeout(begin, wait * 1000);
      wait = Math.min(LONGEST_WAIT_S, wait * 2);
    } else {
      let said = "";
      try { said = JSON.parse(error.originalResponse.getBody()).detail ?? ""; } catch { said = ""; }
      halt(said || held());
    }
  };

  function begin() {
    if (over || paused) return;
    clearTimeout(waiting);
    waiting = null;
    from = null;
    upload = new Upload(blob, {
      uploadUrl: entry.url,
      chunkSize: PART,
      retryDelays: null,
      storeFingerprintForResuming: false,
      headers: { "X-CSRFToken": token, "Accept-Language": document.documentElement.lang },
      onProgress: (amount) => {
        from ??= { at: performance.now(), bytes: amount };
        show(amount);
      },
      onChunkComplete: () => {
        wait = 1;
        say(cuts ? words.resumed.replace("{n}", cuts) : words.leave);
      },
      onError: failed,
      onSuccess: async ({ lastResponse }) => {
        over = true;
        await shelf.remove("outbox", entry.url).catch(() => {});
        await done(lastResponse.getHeader("Loa-Segment"), box);
      },
    });
    upload.start();
  }

  pause.addEventListener("click", () => {
    paused = !paused;
    button();
    if (paused) {
      stop();
      say(words.paused.replace("{done}", megabytes(sent, exact)).replace("{total}", megabytes(entry.size, exact)));
    } else {
      wait = 1;
      say(words.leave);
      begin();
    }
  });
  cancel.addEventListener("click", async () => {
    over = true;
    stop();
    await fetch(entry.url, { method: "DELETE", headers: { "Tus-Resumable": "1.0.0", "X-CSRFToken": token } }).catch(() => {});
    await shelf.remove("outbox", entry.url).catch(() => {});
    box.remove();
    gone?.();
  });
  window.addEventListener("online", () => {
    if (waiting) begin();
  });

  const again = box.querySelector("[data-send-again]");
  const start = () => {
    show(0);
    say(words.leave);
    // One page at a time sends a file: a second one would only be told to wait.
    if (!navigator.locks) return begin();
    return navigator.locks.request(`loa.send.${entry.url}`, { ifAvailable: true }, (lock) => {
      if (!lock) {
        say(words.elsewhere);
        pause.hidden = true;
        cancel.hidden = true;
        return null;
      }
      begin();
      return new Promise(() => {});
    });
  };
  if (blob) {
    again.hidden = true;
    start();
  } else {
    // There was no room to keep a copy: the person picks the same file again, and only the rest is sent.
    pause.hidden = true;
    again.querySelector("input").addEventListener("change", (event) => {
      const file = event.target.files[0];
      if (!file) return;
      if (file.name !== entry.name || file.size !== entry.size) {
        say(words.other.replace("{name}", entry.name), true);
        return;
      }
      blob = file;
      again.hidden = true;
      pause.hidden = false;
      start();
    });
    show(0);
  }
}

// Keep the file until it has arrived; without room only what it was called, to ask for it again.
export async function keep(entry) {
  try {
    await shelf.put("outbox", entry);
  } catch {
    await shelf.put("outbox", { ...entry, blob: null }).catch(() => {});
  }
}
