// Live parts of a page: no request while nobody looks, grey when their data grew old, the login page when the session ended.
const STALE_PERIODS = 3;
const freshAt = new WeakMap();

const live = () => document.querySelectorAll("[data-live-every]");
const periodMs = (part) => Number(part.dataset.liveEvery) * 1000;

function markFresh(part) {
  freshAt.set(part, performance.now());
  part.classList.remove("stale");
  const notice = document.getElementById(part.dataset.staleNotice ?? "");
  if (notice) notice.hidden = true;
}

function markStale(part) {
  if (part.classList.contains("stale")) return;
  part.classList.add("stale");
  const notice = document.getElementById(part.dataset.staleNotice ?? "");
  if (notice) notice.hidden = false;
}

document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden && event.target.matches?.("[data-live-every]")) event.preventDefault();
});

document.addEventListener("htmx:before:response", (event) => {
  const { response } = event.detail.ctx;
  // A redirect means that the session ended: show the login page whole, not inside a row.
  if (response.raw.redirected || response.status === 401) {
    event.preventDefault();
    window.location.reload();
  }
});

document.addEventListener("htmx:after:request", (event) => {
  const part = event.target;
  if (part.matches?.("[data-live-every]") && event.detail.ctx.response.status < 400) markFresh(part);
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  for (const part of live()) window.htmx.trigger(part, "look");
});

for (const part of live()) freshAt.set(part, performance.now());

setInterval(() => {
  if (document.hidden) return;
  for (const part of live()) {
    const known = freshAt.get(part);
    if (known === undefined) freshAt.set(part, performance.now());
    else if (performance.now() - known > STALE_PERIODS * periodMs(part)) markStale(part);
  }
}, 1000);

// "còn 3:10" counts down between two polls.
const clockText = (seconds) => {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};
const shownAt = new WeakMap();
setInterval(() => {
  for (const mark of document.querySelectorAll("[data-left-s]")) {
    const known = shownAt.get(mark);
    if (!known || known.left !== mark.dataset.leftS) {
      shownAt.set(mark, { left: mark.dataset.leftS, at: performance.now() });
      continue;
    }
    const left = Number(known.left) - (performance.now() - known.at) / 1000;
    if (!mark.closest(".stale")) mark.textContent = clockText(left);
  }
}, 500);

// What was waited for is there: the page around it says more than its part can.
document.addEventListener("htmx:after:swap", () => {
  if (document.querySelector("[data-until-done] [data-done]")) window.location.reload();
});
