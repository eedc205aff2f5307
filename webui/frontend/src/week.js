// The week under the pencil: sessions are moved, resized and copied by pointer or by keys, and noted in the draft.
// Every act is the same form that a session's own page sends; without this file that page does it.
const ROW_MIN = 5;
const DAY_MIN = 24 * 60;
const THRESHOLD_PX = 4;
const GRIP_PX = 8;

const root = document.querySelector("[data-week]");

const two = (number) => String(number).padStart(2, "0");
const clock = (minutes) => `${two(Math.floor(minutes / 60))}:${two(Math.floor(minutes % 60))}`;
const minutesOf = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
const shifted = (day, by) => {
  const date = new Date(`${day}T12:00:00Z`);
  date.setUTCDate(date.getUTCDate() + by);
  return date.toISOString().slice(0, 10);
};
const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_all, name) => values[name] ?? "");

const cal = () => root.querySelector("[data-cal]");
const blocks = () => [...root.querySelectorAll("[data-block]")];
const speak = (words) => {
  const place = root.querySelector("[data-spoken]");
  if (place) place.textContent = words;
};
const reach = () => root.querySelector("[name=reach]:checked")?.value ?? "every";
const column = (day) => {
  const monday = Date.parse(`${cal().dataset.monday}T12:00:00Z`);
  return Math.round((Date.parse(`${day}T12:00:00Z`) - monday) / 86_400_000) + 1;
};
const dayWords = (day) => {
  const head = cal().querySelectorAll(".calhead > div")[column(day)];
  return head ? head.childNodes[0].textContent.trim() : day;
};

let busy = false;
let chosenReach = "every";
let lifted = null;
let drag = null;

// Where a block is, and where it is being taken to.
function picture(block, copy = false) {
  return {
    block,
    copy,
    day: block.dataset.date,
    start: minutesOf(block.dataset.start),
    minutes: Number(block.dataset.minutes),
  };
}

function told(state) {
  const end = Math.min(DAY_MIN, state.start + state.minutes);
  return fill(cal().dataset.wAt, {
    name: state.block.dataset.title, day: dayWords(state.day), a: clock(state.start), b: clock(end),
  });
}

// A ghost shows the place in the band that holds it; outside of every band only the words tell.
function ghost(state) {
  root.querySelector(".evb.ghost")?.remove();
  if (!state) return;
  const at = column(state.day);
  const band = [...cal().querySelectorAll(".band")].find((one) => {
    const first = Number(one.dataset.first);
    return state.start >= first && state.start < first + Number(one.dataset.rows) * ROW_MIN;
  });
  if (!band || at < 1 || at > 7) return;
  const row = Math.floor((state.start - Number(band.dataset.first)) / ROW_MIN) + 1;
  const rows = Math.max(1, Math.min(72, Math.ceil(state.minutes / ROW_MIN)));
  const shown = document.createElement("span");
  shown.className = `evb ghost d${at} q${row} n${Math.min(rows, Number(band.dataset.rows) - row + 1)}`;
  shown.setAttribute("aria-hidden", "true");
  const name = document.createElement("b");
  name.textContent = state.block.dataset.title;
  const time = document.createElement("span");
  time.textContent = `${clock(state.start)}–${clock(Math.min(DAY_MIN, state.start + state.minutes))}`;
  shown.append(name, time);
  band.append(shown);
}

async function send(body, focus) {
  if (busy) return;
  busy = true;
  root.setAttribute("aria-busy", "true");
  speak(cal()?.dataset.wBusy ?? "");
  try {
    const answer = await fetch(body.get("url"), {
      method: "POST", body: (body.delete("url"), body), headers: { "HX-Request": "true" }, credentials: "same-origin",
    });
    const type = answer.headers.get("Content-Type") ?? "";
    if (!type.startsWith("text/html") || answer.redirected) {
      window.location.reload();
      return;
    }
    const text = await answer.text();
    if (!text.includes("data-said")) {
      window.location.reload();
      return;
    }
    root.innerHTML = text;
    document.body.classList.toggle("has-stick", root.querySelector(".stickbar") !== null);
    equip();
    window.htmx?.process(root);
    const back = focus && blocks().find(focus);
    const first = back ?? (focus ? blocks()[0] : null);
    first?.focus({ preventScroll: Boolean(back) });
    speak(root.querySelector(".flash span")?.textContent ?? "");
  } catch {
    speak(cal()?.dataset.wFailed ?? "");
    ghost(null);
    const place = root.querySelector("[data-said]");
    if (place) {
      place.className = "flash bad mb";
      place.textContent = cal()?.dataset.wFailed ?? "";
    }
  } finally {
    busy = false;
    root.removeAttribute("aria-busy");
  }
}

function note(state, extra = {}) {
  const { block } = state;
  const was = picture(block);
  const same = was.day === state.day && was.start === state.start && was.minutes === state.minutes;
  ghost(null);
  if (same && !state.copy && !extra.what) return;
  const body = new FormData();
  const calendar = cal();
  body.set("url", calendar.dataset.url);
  body.set("csrf_token", calendar.dataset.csrf);
  body.set("dai", calendar.dataset.station);
  body.set("what", state.copy ? "copy" : "move");
  body.set("reach", reach());
  body.set("session", block.dataset.block);
  body.set("day", block.dataset.day);
  body.set("from_day", block.dataset.date);
  body.set("to_day", state.day);
  body.set("to_start", clock(state.start));
  body.set("minutes", String(state.minutes));
  for (const [name, value] of Object.entries(extra)) body.set(name, value);
  send(body, (one) => one.dataset.title === block.dataset.title && one.dataset.date === state.day
    && one.dataset.start === clock(state.start));
}

// Keys.
function roving(target) {
  for (const one of blocks()) one.tabIndex = one === target ? 0 : -1;
}

function step(block, key) {
  const every = blocks().sort((a, b) => (a.dataset.date + a.dataset.start).localeCompare(b.dataset.date + b.dataset.start));
  const here = every.indexOf(block);
  if (key === "ArrowDown") return every[here + 1];
  if (key === "ArrowUp") return every[here - 1];
  const by = key === "ArrowRight" ? 1 : -1;
  for (let day = shifted(block.dataset.date, by), n = 0; n < 7; day = shifted(day, by), n += 1) {
    const there = every.filter((one) => one.dataset.date === day);
    if (there.length) {
      const at = minutesOf(block.dataset.start);
      return there.reduce((best, one) => (
        Math.abs(minutesOf(one.dataset.start) - at) < Math.abs(minutesOf(best.dataset.start) - at) ? one : best));
    }
  }
  return undefined;
}

function lift(block, copy) {
  lifted = picture(block, copy);
  block.classList.add("lifted");
  speak(fill(copy ? cal().dataset.wCopy : cal().dataset.wLift, { name: block.dataset.title }));
  ghost(lifted);
}

function letGo(spoken) {
  if (!lifted) return;
  const { block } = lifted;
  block.classList.remove("lifted");
  lifted = null;
  ghost(null);
  if (spoken) speak(fill(cal().dataset.wBack, { name: block.dataset.title }));
}

function whileLifted(event) {
  const state = lifted;
  if (event.key === "Escape") letGo(true);
  else if (event.key === "Enter") {
    letGo(false);
    note(state);
  } else if (event.key.startsWith("Arrow")) {
    const back = event.key === "ArrowUp" || event.key === "ArrowLeft";
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const day = shifted(state.day, back ? -1 : 1);
      if (column(day) >= 1 && column(day) <= 7) state.day = day;
    } else if (event.shiftKey) {
      state.minutes = Math.max(ROW_MIN, Math.min(720, state.minutes + (back ? -ROW_MIN : ROW_MIN)));
    } else {
      state.start = Math.max(0, Math.min(DAY_MIN - ROW_MIN, state.start + (back ? -ROW_MIN : ROW_MIN)));
    }
    speak(told(state));
    ghost(state);
  } else if (event.key === "c" || event.key === "C") {
    state.copy = true;
    speak(fill(cal().dataset.wCopy, { name: state.block.dataset.title }));
  } else return;
  event.preventDefault();
}

function onKey(event) {
  const block = event.target.closest?.("[data-block]");
  if (!block || !cal() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (lifted) {
    whileLifted(event);
    return;
  }
  const key = event.key.toLowerCase();
  if (event.key.startsWith("Arrow") && event.shiftKey && (key === "arrowup" || key === "arrowdown")) {
    lift(block, false);
    whileLifted(event);
  } else if (event.key.startsWith("Arrow")) {
    const next = step(block, event.key);
    event.preventDefault();
    if (next) {
      roving(next);
      next.focus();
    }
  } else if (key === "m" || key === "r" || key === "c") {
    event.preventDefault();
    lift(block, key === "c");
  } else if (key === "delete") {
    event.preventDefault();
    note(picture(block), { what: "cancel" });
  }
}

// Pointer.
function under(event) {
  const band = [...cal().querySelectorAll(".band")].find((one) => {
    const box = one.getBoundingClientRect();
    return event.clientY >= box.top && event.clientY < box.bottom;
  });
  if (!band) return null;
  const box = band.getBoundingClientRect();
  const days = [...band.querySelectorAll(".dcol")];
  const at = days.findIndex((one) => {
    const place = one.getBoundingClientRect();
    return event.clientX >= place.left && event.clientX < place.right;
  });
  if (at < 0) return null;
  const row = (event.clientY - box.top) / (box.height / Number(band.dataset.rows));
  return { day: shifted(cal().dataset.monday, at), minute: Number(band.dataset.first) + row * ROW_MIN };
}

function onDown(event) {
  const block = event.target.closest?.("[data-block]");
  if (!block || !cal() || event.button !== 0 || event.pointerType === "touch" || busy) return;
  const box = block.getBoundingClientRect();
  const at = under(event);
  if (!at) return;
  letGo(false);
  drag = {
    state: picture(block), resize: box.bottom - event.clientY <= Math.min(GRIP_PX, box.height / 4), x: event.clientX, y: event.clientY,
    offset: at.minute - minutesOf(block.dataset.start), moved: false,
  };
}

function onMove(event) {
  if (!drag) return;
  if (!drag.moved && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < THRESHOLD_PX) return;
  if (!drag.moved) {
    drag.moved = true;
    drag.state.block.classList.add("lifted");
    document.body.classList.add("dragging");
  }
  event.preventDefault();
  const at = under(event);
  if (!at) return;
  const { state } = drag;
  if (drag.resize) {
    const end = Math.round(at.minute / ROW_MIN) * ROW_MIN;
    state.minutes = Math.max(ROW_MIN, end - state.start);
  } else {
    state.day = at.day;
    state.start = Math.max(0, Math.min(DAY_MIN - ROW_MIN, Math.round((at.minute - drag.offset) / ROW_MIN) * ROW_MIN));
    state.copy = event.ctrlKey || event.altKey;
  }
  ghost(state);
  speak(told(state));
}

function onUp(event) {
  if (!drag) return;
  const { state, moved } = drag;
  state.block.classList.remove("lifted");
  document.body.classList.remove("dragging");
  drag = null;
  if (!moved) return;
  state.copy = state.copy || event.ctrlKey || event.altKey;
  note(state);
}

function cancelDrag() {
  if (!drag) return;
  drag.state.block.classList.remove("lifted");
  document.body.classList.remove("dragging");
  drag = null;
  ghost(null);
}

// A drop must not follow the link under it.
function onClick(event) {
  if (event.target.closest?.(".lifted")) event.preventDefault();
}

function onQuick(event) {
  const form = event.target.closest?.("form[data-quick]");
  if (!form) return;
  event.preventDefault();
  const body = new FormData(form);
  body.set("url", form.action);
  send(body, null);
}

function equip() {
  for (const one of root.querySelectorAll("[data-tools]")) one.hidden = false;
  const radio = root.querySelector(`[name=reach][value="${chosenReach}"]`);
  if (radio) radio.checked = true;
  const first = blocks();
  if (first.length) roving(first[0]);
  cal()?.setAttribute("aria-describedby", "cal-help");
}

if (root) {
  equip();
  root.addEventListener("keydown", onKey);
  root.addEventListener("change", () => { chosenReach = reach(); });
  root.addEventListener("focusin", (event) => {
    const block = event.target.closest?.("[data-block]");
    if (block) roving(block);
  });
  root.addEventListener("focusout", (event) => {
    if (lifted && !root.contains(event.relatedTarget)) letGo(true);
  });
  root.addEventListener("pointerdown", onDown);
  document.addEventListener("pointermove", onMove);
  document.addEventListener("pointerup", (event) => {
    const moved = drag?.moved;
    onUp(event);
    if (moved) window.addEventListener("click", (click) => { click.preventDefault(); click.stopPropagation(); }, { capture: true, once: true });
  });
  document.addEventListener("pointercancel", cancelDrag);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") cancelDrag(); });
  root.addEventListener("dragstart", (event) => event.preventDefault());
  root.addEventListener("click", onClick);
  // What the plan adds comes after the page, but never under a finger.
  document.addEventListener("htmx:before:swap", (event) => {
    if (root.contains(event.target) && (drag || lifted || busy) && event.target.closest?.("[data-rest]")) event.preventDefault();
  });
  document.addEventListener("htmx:after:swap", () => {
    if (!root.querySelector("[data-tools][hidden]")) return;
    const at = document.activeElement === document.body ? null : document.activeElement;
    equip();
    at?.focus?.({ preventScroll: true });
  });
  // Before the page's own guard against sending twice, which would block the button after the first time.
  root.addEventListener("submit", onQuick, { capture: true });
}
