// Small comforts of forms: no double sending, filters that apply at once, a section opened by its link.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-upload]") || form.method === "get") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  // Also a button that stands elsewhere and belongs to the form by name.
  for (const button of [...form.elements].filter((one) => one.matches("button[data-busy]"))) {
    // After this turn, so that the pressed button's own value still goes along.
    setTimeout(() => {
      button.disabled = true;
      const label = button.querySelector("span");
      if (label) label.textContent = button.dataset.busy;
    });
  }
});

window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.elements) if (button.matches("button[data-busy]")) button.disabled = false;
  }
});

for (const form of document.querySelectorAll("form[data-apply]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

for (const part of document.querySelectorAll("[data-scroll-end]")) part.scrollLeft = part.scrollWidth;

const openTarget = () => {
  const target = window.location.hash ? document.getElementById(window.location.hash.slice(1)) : null;
  if (target instanceof HTMLDetailsElement) target.open = true;
};
window.addEventListener("hashchange", openTarget);
openTarget();

// Fields that belong to one choice only; without this file all of them are shown.
for (const choice of document.querySelectorAll("select[data-switch]")) {
  const parts = choice.form.querySelectorAll("[data-when]");
  const show = () => {
    for (const part of parts) part.hidden = !part.dataset.when.split(" ").includes(choice.value);
  };
  choice.addEventListener("change", show);
  show();
}

// A line with "Hoàn tác" goes after its seconds, but not from under somebody's finger or keyboard.
for (const line of document.querySelectorAll("[data-vanish]")) {
  const go = () => {
    if (line.matches(":hover, :focus-within")) setTimeout(go, 1000);
    else line.remove();
  };
  setTimeout(go, 1000 * Number(line.dataset.vanish));
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A long list of ticks: all or none at once, and how many there are; ticking one means "some".
for (const list of document.querySelectorAll("[data-ticks]")) {
  const boxes = [...list.querySelectorAll("input[type=checkbox]")];
  const some = list.closest("fieldset")?.querySelector("[data-some]");
  const told = list.querySelector("[data-ticked]");
  const tell = () => {
    told.textContent = told.dataset.words.replace("{n}", boxes.filter((box) => box.checked).length);
  };
  list.querySelector("[data-tick-all]").hidden = false;
  list.addEventListener("change", () => {
    if (some) some.checked = true;
    tell();
  });
  for (const button of list.querySelectorAll("[data-tick]")) {
    button.addEventListener("click", () => {
      for (const box of boxes) box.checked = button.dataset.tick === "all";
      if (some) some.checked = true;
      tell();
    });
  }
  some?.addEventListener("change", () => {
    if (some.checked) list.open = true;
  });
  tell();
}
