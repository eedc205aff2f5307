// The page of a new item: record it or pick a file, fill in its card, and send it in parts. Loaded there only.
import * as shelf from "./shelf.js";
import * as recorder from "./recorder.js";
import { forget } from "./drafts.js";
import { keep, send } from "./sending.js";

const form = document.querySelector("form[data-compose]");

if (form) {
  const words = form.dataset;
  const owner = words.owner;
  const token = form.querySelector("[name=csrf_token]").value;
  const input = form.querySelector("input[type=file]");
  const button = form.querySelector("[type=submit]");
  const problem = form.querySelector("[data-compose-problem]");
  const outbox = document.querySelector("[data-outbox]");
  const template = document.querySelector("template[data-sending]");
  const tabs = [...form.querySelectorAll("[role=tab]")];
  let recorded = null;
  let sound = null;

  // Tabs: record, or pick a file. Without this file both are one plain form.
  const choose = (name, focus = false) => {
    for (const tab of tabs) {
      const on = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      form.querySelector(`[data-panel=${tab.dataset.tab}]`).hidden = !on;
      if (on && focus) tab.focus();
    }
  };
  tabs.forEach((tab, n) => {
    tab.addEventListener("click", () => choose(tab.dataset.tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) choose(tabs[(n + step + tabs.length) % tabs.length].dataset.tab, true);
    });
  });
  form.querySelector("[data-tabs]").hidden = false;
  const place = form.querySelector("[data-recorder]");
  input.required = false;
  if (recorder.possible()) {
    form.querySelector("[data-rec-none]").hidden = true;
    place.hidden = false;
    sound = recorder.equip(place, owner, (file) => {
      recorded = file;
      if (file) choose("record");
    }, async () => (await shelf.all("outbox")).some((entry) => entry.owner === owner && entry.recorded));
    choose(words.tab === "file" ? "file" : "record");
  } else {
    choose(words.tab === "record" ? "record" : "file");
  }
  input.addEventListener("change", () => { if (input.files.length) choose("file"); });

  const refuse = (sentence, fields = []) => {
    button.disabled = false;
    button.querySelector("span").textContent = button.dataset.rest;
    problem.textContent = sentence;
    problem.hidden = false;
    for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    for (const name of fields) form.querySelector(`#f-${name}`)?.setAttribute("aria-invalid", "true");
    problem.focus();
  };
  const chosen = () => {
    const panel = tabs.find((tab) => tab.getAttribute("aria-selected") === "true")?.dataset.tab;
    return panel === "record" ? recorded : input.files[0] ?? null;
  };
  const show = (entry) => {
    const box = template.content.firstElementChild.cloneNode(true);
    outbox.append(box);
    const list = document.querySelector("[data-elsewhere-list]");
    list?.querySelector(`[data-upload-url="${entry.url}"]`)?.remove();
    if (list && !list.querySelector("li")) list.remove();
    document.querySelector(".answer").textContent = words.sending;
    send(entry, box, token, {
      done: async (segment) => {
        if (entry.recorded) await sound?.forget();
        if (segment) window.location.assign(`${words.items}/${segment}`);
      },
      gone: () => {
        form.hidden = false;
        button.disabled = false;
        button.querySelector("span").textContent = button.dataset.rest;
      },
    });
    return box;
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    const file = chosen();
    if (!file) return refuse(recorded === null && !input.files.length ? words.nothing : words.other);
    if (file.size > Number(words.maxBytes)) return refuse(words.tooBig);
    button.disabled = true;
    button.querySelector("span").textContent = button.dataset.busy;
    const fields = new FormData(form);
    fields.delete("audio");
    fields.set("length", String(file.size));
    fields.set("file_name", file.name);
    let answer = null;
    try {
      const response = await fetch(form.action, { method: "POST", body: fields, headers: { "X-Requested-With": "loa", "Accept-Language": document.documentElement.lang } });
      if (response.redirected) return refuse(words.session);
      answer = await response.json();
    } catch {
      return refuse(words.lost);
    }
    if (!answer.upload) return refuse(answer.message ?? answer.detail ?? words.lost, answer.fields);
    form.dataset.taken = "1";
    await forget(form);
    const entry = { url: answer.upload, owner, name: file.name, size: file.size, blob: file, recorded: file === recorded, at: Date.now() };
    await keep(entry);
    form.hidden = true;
    show(entry).scrollIntoView({ block: "center" });
    return undefined;
  });

  shelf.all("outbox").then((entries) => {
    for (const entry of entries) if (entry.owner === owner) show(entry);
  }).catch(() => {});
}
