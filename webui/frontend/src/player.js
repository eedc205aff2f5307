// The player of a recording: heard part of the waveform, how much was heard, and which button is the main one.
const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

function equip(player) {
  const audio = player.querySelector("audio");
  const button = player.querySelector("[data-play]");
  const seek = player.querySelector("input[type=range]");
  const heardMark = player.querySelector("[data-heard]");
  const total = Number(player.dataset.duration);
  const heard = new Set();
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
    if (!audio.paused) heard.add(Math.floor(at));
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
  audio.addEventListener("timeupdate", show);
  audio.addEventListener("ended", show);
  for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, state);
}

for (const player of document.querySelectorAll("[data-player]")) equip(player);
