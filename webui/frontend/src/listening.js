// Listening to what goes out now, to the recording of one row of the air log, or to a whole session before it airs:
// HLS in short requests, one bar for the page. A session has marks, by which one goes from item to item.
const OPENING_TRIES = 8;
const bar = document.getElementById("listener");

if (bar) {
  const audio = bar.querySelector("audio");
  const title = bar.querySelector("[data-listener-title]");
  const words = bar.querySelector("[data-listener-words]");
  let stream = null;
  let current = null;
  let wantedAt = null;
  const before = bar.querySelector("[data-listener-before]");
  const after = bar.querySelector("[data-listener-after]");

  const marks = () => [...document.querySelectorAll("[data-skip]")].filter((one) => one.dataset.skip === current);
  const place = (one) => Number(one.dataset.at);
  // A skip lands a little beside its mark.
  const markNow = () => marks().filter((one) => place(one) <= audio.currentTime + 0.2).at(-1) ?? null;

  const mark = () => {
    for (const link of document.querySelectorAll("[data-listen]")) {
      const on = current !== null && link.getAttribute("href") === current;
      link.setAttribute("aria-pressed", String(on));
      link.querySelector("use")?.setAttribute("href", on ? link.dataset.iconStop : link.dataset.iconPlay);
    }
  };

  const close = (sentence) => {
    stream?.destroy();
    stream = null;
    current = null;
    audio.pause();
    audio.removeAttribute("src");
    audio.load();
    words.textContent = sentence ?? "";
    bar.hidden = !sentence;
    document.body.classList.toggle("listening", !bar.hidden);
    wantedAt = null;
    before.hidden = true;
    after.hidden = true;
    for (const one of document.querySelectorAll("[data-skip][aria-current]")) one.removeAttribute("aria-current");
    mark();
  };

  const failed = () => close(bar.dataset.ended);

  const tellMark = () => {
    const known = marks();
    if (!known.length) return;
    const now = markNow();
    for (const one of known) {
      if (one === now) one.setAttribute("aria-current", "true");
      else one.removeAttribute("aria-current");
    }
    if (now && words.textContent !== now.dataset.title) words.textContent = now.dataset.title;
  };

  const goTo = (at) => {
    if (audio.readyState === 0) wantedAt = at;
    else audio.currentTime = at;
  };

  const step = (by) => {
    const known = marks();
    const at = known.indexOf(markNow()) + by;
    if (at >= 0 && at < known.length) goTo(place(known[at]));
  };

  async function open(link) {
    close();
    current = link.getAttribute("href");
    title.textContent = link.dataset.title ?? "";
    words.textContent = bar.dataset.opening;
    bar.hidden = false;
    document.body.classList.add("listening");
    before.hidden = marks().length < 2;
    after.hidden = before.hidden;
    mark();
    const asked = current;
    if (audio.canPlayType("application/vnd.apple.mpegurl") && !window.MediaSource) {
      audio.src = asked;
      audio.play().catch(failed);
      return;
    }
    const { default: Hls } = await import("hls.js/light");
    if (current !== asked) return;
    if (!Hls.isSupported()) {
      audio.src = asked;
      audio.play().catch(failed);
      return;
    }
    // A worker from a blob: would break the content security policy.
    stream = new Hls({ enableWorker: false, liveSyncDurationCount: 2, maxBufferLength: 20, backBufferLength: 30 });
    let retries = 0;
    let waits = 0;
    stream.on(Hls.Events.ERROR, (_event, problem) => {
      if (!problem.fatal) return;
      if (problem.details === Hls.ErrorDetails.MANIFEST_LOAD_ERROR && waits < OPENING_TRIES) {
        // A session that has just begun has no segment yet.
        waits += 1;
        setTimeout(() => { if (current === asked) stream?.loadSource(asked); }, 1000);
        return;
      }
      if (problem.type === Hls.ErrorTypes.MEDIA_ERROR && retries < 2) {
        retries += 1;
        stream.recoverMediaError();
        return;
      }
      failed();
    });
    stream.on(Hls.Events.MANIFEST_PARSED, () => audio.play().catch(() => { words.textContent = ""; }));
    stream.loadSource(asked);
    stream.attachMedia(audio);
  }

  audio.addEventListener("playing", () => { words.textContent = ""; tellMark(); });
  audio.addEventListener("timeupdate", tellMark);
  audio.addEventListener("loadedmetadata", () => {
    if (wantedAt !== null) audio.currentTime = wantedAt;
    wantedAt = null;
  });
  audio.addEventListener("ended", () => { if (marks().length) close(bar.dataset.over); else failed(); });
  before.addEventListener("click", () => {
    const now = markNow();
    // As on every player: first back to the beginning of this one.
    if (now && audio.currentTime - place(now) > 2) goTo(place(now));
    else step(-1);
  });
  after.addEventListener("click", () => step(1));
  for (const button of document.querySelectorAll("[data-skip]")) button.hidden = false;
  bar.querySelector("[data-listener-close]").addEventListener("click", () => close());
  document.addEventListener("click", (event) => {
    const skip = event.target.closest("[data-skip]");
    if (skip) {
      const whole = [...document.querySelectorAll("[data-listen]")].find((one) => one.getAttribute("href") === skip.dataset.skip);
      if (current !== skip.dataset.skip && whole) open(whole);
      goTo(place(skip));
      if (audio.paused && audio.readyState > 0) audio.play().catch(() => { words.textContent = ""; });
      return;
    }
    const link = event.target.closest("[data-listen]");
    if (!link) return;
    event.preventDefault();
    if (link.getAttribute("href") === current) close();
    else open(link);
  });
  document.addEventListener("keydown", (event) => {
    const link = event.target.closest?.("[data-listen]");
    if (link && event.key === " ") {
      event.preventDefault();
      link.click();
    }
  });
  document.addEventListener("htmx:after:swap", mark);
}
