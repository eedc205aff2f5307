// A live talk from this browser's microphone: level, remaining time, and pieces of sound by short requests.
const MOST_WAITING = 12; // pieces of 250 ms: what is older than three seconds is not worth sending
const TRIES = 4;
const SEGMENTS = 40;

const place = document.querySelector("[data-talk]");
const possible = window.isSecureContext && navigator.mediaDevices?.getUserMedia && window.AudioWorkletNode;

if (place && possible) {
  document.querySelector("[data-talk-none]").hidden = true;
  place.hidden = false;
  const words = place.dataset;
  const button = place.querySelector("[data-talk-button]");
  const limit = place.querySelector("[data-talk-limit]");
  const left = place.querySelector("[data-talk-left]");
  const line = place.querySelector("[data-talk-words]");
  const bars = [...place.querySelectorAll("[data-talk-level] rect")];
  const headers = { "X-CSRFToken": words.token };
  let talk = null;

  const say = (text) => {
    if (line.textContent !== text) line.textContent = text;
  };

  const lit = (value) => {
    const dbfs = value > 0 ? 20 * Math.log10(value) : -100;
    return Math.max(0, Math.min(SEGMENTS, Math.round(((dbfs + 60) / 60) * SEGMENTS)));
  };

  const level = (rms, peak) => {
    const count = lit(rms);
    const top = lit(peak);
    bars.forEach((bar, n) => {
      const on = n < count || (top > 0 && n === top - 1);
      bar.setAttribute("class", on ? (n < 27 ? "g" : n < 35 ? "o" : "r") : "");
    });
  };

  const show = (going) => {
    button.setAttribute("aria-pressed", String(going));
    button.setAttribute("aria-label", going ? words.stopWord : words.talkWord);
    button.querySelector("use").setAttribute("href", going ? words.iconStop : words.iconTalk);
    limit.disabled = going;
    if (!going) {
      left.textContent = "0:00";
      level(0, 0);
    }
  };

  const release = (one) => {
    clearInterval(one.clock);
    one.node?.disconnect();
    one.stream?.getTracks().forEach((track) => track.stop());
    one.context?.close();
  };

  const finish = (one, text) => {
    if (one.over) return;
    one.over = true;
    release(one);
    if (talk === one) talk = null;
    show(false);
    say(text);
    // Also while the page goes away: the browser still sends this one.
    if (one.address) fetch(one.address, { method: "DELETE", headers, keepalive: true }).catch(() => {});
  };

  const send = async (one) => {
    if (one.sending) return;
    one.sending = true;
    while (one.waiting.length && !one.over) {
      const pieces = one.waiting.splice(0, one.waiting.length);
      const body = new Blob(pieces);
      one.number += 1;
      let answer = null;
      for (let attempt = 0; attempt < TRIES && !one.over && !answer; attempt += 1) {
        try {
          const response = await fetch(`${one.address}/audio?n=${one.number}`, {
            method: "POST",
            headers: { ...headers, "Content-Type": "application/octet-stream" },
            body,
          });
          answer = response.ok ? await response.json() : { going: false };
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 250 * (attempt + 1)));
        }
      }
      if (!answer) finish(one, words.lost);
      else if (!answer.going) finish(one, words.over);
    }
    one.sending = false;
  };

  const hear = (one, { pcm, rms, peak }) => {
    if (one.over) return;
    level(rms, peak);
    if (!one.address) return;
    say(peak > 0.98 ? words.high : rms < 0.003 ? words.low : words.going);
    one.waiting.push(pcm);
    if (one.waiting.length > MOST_WAITING) one.waiting.shift();
    send(one);
  };

  const begin = async () => {
    const one = { waiting: [], number: 0, over: false };
    talk = one;
    show(true);
    say(words.asking);
    try {
      one.stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
      one.context = new AudioContext();
      await one.context.audioWorklet.addModule(words.capture);
      one.node = new AudioWorkletNode(one.context, "capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
      one.node.port.onmessage = (event) => hear(one, event.data);
      one.context.createMediaStreamSource(one.stream).connect(one.node);
      await one.context.resume();
    } catch {
      finish(one, words.denied);
      return;
    }
    if (one.over) {
      release(one);
      return;
    }
    let response = null;
    let answer = {};
    try {
      response = await fetch(words.begin, {
        method: "POST",
        headers: { ...headers, "Content-Type": "application/json", "Accept-Language": document.documentElement.lang },
        body: JSON.stringify({ limit_s: Number(limit.value) }),
      });
      answer = await response.json();
    } catch {
      response = null;
    }
    if (!response?.ok) {
      finish(one, answer.detail ?? words.lost);
      return;
    }
    one.address = `${words.begin}/${answer.id}`;
    if (one.over) {
      fetch(one.address, { method: "DELETE", headers, keepalive: true }).catch(() => {});
      return;
    }
    const ends = performance.now() + answer.limit_s * 1000;
    say(words.going);
    one.clock = setInterval(() => {
      const seconds = Math.max(0, Math.round((ends - performance.now()) / 1000));
      left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      if (seconds === 0) finish(one, words.over);
    }, 250);
  };

  button.addEventListener("click", () => {
    if (talk) finish(talk, words.over);
    else begin();
  });
  window.addEventListener("pagehide", () => {
    if (talk) finish(talk, words.over);
  });
}
