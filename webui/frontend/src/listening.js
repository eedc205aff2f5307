// Listening to what goes out now, or to the recording of one row of the air log: HLS in short requests, one bar for the page.
const OPENING_TRIES = 8;
const bar = document.getElementById("listener");

if (bar) {
  const audio = bar.querySelector("audio");
  const title = bar.querySelector("[data-listener-title]");
  const words = bar.querySelector("[data-listener-words]");
  let stream = null;
  let current = null;

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
    mark();
  };

  const failed = () => close(bar.dataset.ended);

  async function open(link) {
    close();
    current = link.getAttribute("href");
    title.textContent = link.dataset.title ?? "";
    words.textContent = bar.dataset.opening;
    bar.hidden = false;
    document.body.classList.add("listening");
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

  audio.addEventListener("playing", () => { words.textContent = ""; });
  audio.addEventListener("ended", failed);
  bar.querySelector("[data-listener-close]").addEventListener("click", () => close());
  document.addEventListener("click", (event) => {
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
