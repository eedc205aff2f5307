// The player of a recording: heard part of the waveform, how much was heard, and which button is the main one.
const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

function secondsOf(ranges) {
  const seconds = [];
  for (const range of ranges.split(",").filter(Boolean)) {
    const [first, end] = range.split("-").map(Number);
    for (let second = first; second < end; second += 1) seconds.push(second);
  }
  return seconds;
}

function rangesOf(seconds) {
  const ranges = [];
  for (const second of [...seconds].sort((a, b) => a - b)) {
    const open = ranges.at(-1);
    if (open && open[1] === second) open[1] = second + 1;
    else ranges.push([second, second + 1]);
  }
  return ranges.map((range) => range.join("-")).join(",");
}

// Tells the server which seconds of exactly this version were heard: at the start, every ten seconds, and at each end.
function tell(player, audio, heard) {
  let told = null;
  const send = () => {
    const ranges = rangesOf(heard);
    if (told === ranges) return;
    const form = new FormData();
    form.set("csrf_token", player.dataset.csrf);
    form.set("sha256", player.dataset.sha256);
    form.set("ranges", ranges);
    told = ranges;
    // What did not arrive is told again with the next seconds.
    fetch(player.dataset.listening, { method: "POST", body: form, keepalive: true, credentials: "same-origin" })
      .then((answer) => { if (!answer.ok) told = null; })
      .catch(() => { told = null; });
  };
  let timer = null;
  audio.addEventListener("play", () => {
    told = null;
    send();
    timer ??= setInterval(send, 10000);
  });
  for (const event of ["pause", "ended"]) {
    audio.addEventListener(event, () => {
      clearInterval(timer);
      timer = null;
      setTimeout(send);
    });
  }
  window.addEventListener("pagehide", send);
}

function equip(player) {
  const audio = player.querySelector("audio");
  const button = player.querySelector("[data-play]");
  const seek = player.querySelector("input[type=range]");
  const heardMark = player.querySelector("[data-heard]");
  const total = Number(player.dataset.duration);
  const heard = new Set(secondsOf(player.dataset.ranges ?? ""));
  let last = null;
  audio.controls = false;
  audio.hidden = true;
  button.hidden = false;
  seek.hidden = false;

  const show = () => {
    const at = audio.currentTime;
    seek.value = String(at);
    seek.setAttribute("aria-valuetext", clock(at));
    // The waveform arrives after the page.
    const mask = player.querySelector("[data-heard-mask]");
    mask?.setAttribute("width", String((at / total) * Number(mask.dataset.full)));
    if (!audio.paused || audio.ended) {
      // Between two looks of a busy phone more than a second may pass; a jump is no listening.
      if (last !== null && at >= last && at - last < 2.5) for (let second = Math.floor(last); second < at; second += 1) heard.add(second);
      last = at;
    }
    const amount = Math.min(heard.size, total);
    if (heard.size) heardMark.textContent = heardMark.dataset.words.replace("{a}", clock(amount)).replace("{b}", clock(total));
    const field = document.querySelector(`[data-heard-for="${player.dataset.player}"]`);
    if (field) field.value = String(Math.round(amount));
    if (amount >= total * 0.95 || audio.ended) {
      button.classList.add("o");
      for (const main of document.querySelectorAll(`[data-main-after="${player.dataset.player}"]`)) main.classList.add("p");
    }
  };
  const state = () => {
    const playing = !audio.paused;
    button.setAttribute("aria-label", playing ? button.dataset.pause : button.dataset.play);
    button.querySelector("use").setAttribute("href", playing ? button.dataset.iconPause : button.dataset.iconPlay);
  };
  button.addEventListener("click", () => {
    if (!audio.paused) return audio.pause();
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
    return audio.play().catch(() => { heardMark.textContent = heardMark.dataset.failed; });
  });
  seek.addEventListener("input", () => { audio.currentTime = Number(seek.value); });
  audio.addEventListener("seeking", () => { last = null; });
  if (player.dataset.listening) tell(player, audio, heard);
  audio.addEventListener("timeupdate", show);
  audio.addEventListener("ended", show);
  for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, state);
}

for (const player of document.querySelectorAll("[data-player]")) equip(player);
