// The contributor's form: recording in the page itself, where the browser makes a format that the station takes.
// Without this file, or without a microphone, the file field opens the telephone's own recorder.
const bar = document.querySelector("[data-voice]");
const field = document.getElementById("f-voice");
const KINDS = [["audio/webm;codecs=opus", "webm"], ["audio/mp4;codecs=mp4a.40.2", "m4a"], ["audio/ogg;codecs=opus", "ogg"]];
const LONGEST_S = 14 * 60;

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

const kind = window.isSecureContext && navigator.mediaDevices && window.MediaRecorder && window.DataTransfer
  ? KINDS.find(([type]) => MediaRecorder.isTypeSupported(type))
  : undefined;

if (bar && field && kind) {
  const button = bar.querySelector("[data-voice-button]");
  const label = button.querySelector("span");
  const words = bar.querySelector("[data-voice-words]");
  let recorder = null;
  let began = 0;
  let timer = 0;

  const say = (sentence) => { words.textContent = sentence.replace("{time}", clock((performance.now() - began) / 1000)); };
  const rest = () => {
    clearInterval(timer);
    label.textContent = bar.dataset.start;
    button.setAttribute("aria-pressed", "false");
    recorder = null;
  };

  async function start() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: false } });
    } catch {
      words.textContent = bar.dataset.denied;
      return;
    }
    const parts = [];
    recorder = new MediaRecorder(stream, { mimeType: kind[0], audioBitsPerSecond: 64000 });
    recorder.addEventListener("dataavailable", (event) => { if (event.data.size) parts.push(event.data); });
    recorder.addEventListener("stop", () => {
      for (const track of stream.getTracks()) track.stop();
      const held = new DataTransfer();
      held.items.add(new File(parts, `ghi-am.${kind[1]}`, { type: kind[0].split(";")[0] }));
      field.files = held.files;
      say(bar.dataset.done);
      rest();
    });
    began = performance.now();
    recorder.start();
    label.textContent = bar.dataset.stop;
    button.setAttribute("aria-pressed", "true");
    timer = setInterval(() => {
      if ((performance.now() - began) / 1000 > LONGEST_S) recorder?.stop();
      else words.textContent = bar.dataset.recording.replace("{time}", clock((performance.now() - began) / 1000));
    }, 1000);
    words.textContent = bar.dataset.recording.replace("{time}", "0:00");
  }

  bar.hidden = false;
  button.addEventListener("click", () => { if (recorder) recorder.stop(); else start(); });
  // What is still being recorded is part of what is sent.
  field.form.addEventListener("submit", (event) => {
    if (!recorder) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    recorder.addEventListener("stop", () => setTimeout(() => field.form.requestSubmit()), { once: true });
    recorder.stop();
  }, { capture: true });
}
