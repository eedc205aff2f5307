// Drafts of forms: what was typed is kept in this browser every five seconds, and is there again after a crash, a closed
// page or an ended session. A form asks for it with data-draft="PERSON:NAME"; it is gone when the form was taken.
import * as shelf from "./shelf.js";

const EVERY_MS = 5000;
const KEPT_MS = 14 * 86400000;

const time = () => new Date().toLocaleTimeString("vi-VN", { hour: "2-digit", minute: "2-digit" });

function fields(form) {
  const kept = {};
  for (const one of form.elements) {
    if (!one.name || ["hidden", "file", "password", "submit", "button"].includes(one.type)) continue;
    kept[one.name] ??= [];
    if ((one.type === "checkbox" || one.type === "radio") && !one.checked) continue;
    kept[one.name].push(one.value);
  }
  return kept;
}

function fill(form, kept) {
  for (const one of form.elements) {
    const values = one.name ? kept[one.name] : undefined;
    if (!values || ["hidden", "file", "password", "submit", "button"].includes(one.type)) continue;
    if (one.type === "checkbox" || one.type === "radio") {
      one.checked = values.includes(one.value);
      if (one.checked) one.closest("details")?.setAttribute("open", "");
    } else if (values.length && (one.tagName !== "SELECT" || [...one.options].some((option) => option.value === values[0]))) {
      one.value = values[0];
    }
    one.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

export const forget = (form) => shelf.remove("drafts", form.dataset.draft).catch(() => {});

async function equip(form) {
  const key = form.dataset.draft;
  const line = form.querySelector("[data-draft-line]");
  const fresh = JSON.stringify(fields(form));
  let last = fresh;

  const say = (text, offer) => {
    if (!line) return;
    line.hidden = !text;
    line.querySelector("[data-draft-words]").textContent = text;
    line.querySelector("button").hidden = !offer;
  };
  const save = async () => {
    const now = fields(form);
    const written = JSON.stringify(now);
    if (written === last || form.dataset.taken) return;
    await shelf.put("drafts", { key, fields: now, at: Date.now(), sent: false });
    last = written;
    say(line?.dataset.saved.replace("{time}", time()) ?? "", false);
  };

  // A page that shows what was wrong already holds what was typed.
  const kept = form.hasAttribute("data-draft-fresh") ? await shelf.get("drafts", key) : undefined;
  if (kept && JSON.stringify(kept.fields) !== fresh) {
    fill(form, kept.fields);
    last = JSON.stringify(fields(form));
    const at = new Date(kept.at).toLocaleString("vi-VN", { hour: "2-digit", minute: "2-digit", day: "2-digit", month: "2-digit" });
    say(line?.dataset.restored.replace("{time}", at) ?? "", true);
  }
  line?.querySelector("button").addEventListener("click", async () => {
    await shelf.remove("drafts", key);
    fill(form, JSON.parse(fresh));
    last = JSON.stringify(fields(form));
    say("", false);
  });
  setInterval(() => save().catch(() => {}), EVERY_MS);
  document.addEventListener("visibilitychange", () => { if (document.hidden) save().catch(() => {}); });
  form.addEventListener("submit", () => {
    // A form that sends itself says by itself when it was taken.
    if (form.hasAttribute("data-draft-own")) return;
    shelf.put("drafts", { key, fields: fields(form), at: Date.now(), sent: true }).catch(() => {});
  });
}

async function begin() {
  const here = [...document.querySelectorAll("form[data-draft]")];
  const asked = document.querySelector("form [type=password]") !== null;
  if (!here.length && !localStorage.getItem("loa.drafts")) return;
  localStorage.setItem("loa.drafts", "1");
  for (const draft of await shelf.all("drafts")) {
    const shown = here.some((form) => form.dataset.draft === draft.key);
    if (draft.at < Date.now() - KEPT_MS) await shelf.remove("drafts", draft.key);
    else if (draft.sent && (shown || asked)) await shelf.put("drafts", { ...draft, sent: false });
    else if (draft.sent) await shelf.remove("drafts", draft.key);
  }
  for (const form of here) await equip(form);
}

if (window.indexedDB) begin().catch(() => {});
