// "?" puts numbered hints on the page itself; Escape or "?" again takes them away. Without this file it leads to the help.
const opener = document.querySelector("[data-hints]");
const list = document.getElementById("hints");

const place = (mark, target) => {
  const box = target.getBoundingClientRect();
  mark.style.setProperty("top", `${Math.max(0, box.top + window.scrollY - 10)}px`);
  mark.style.setProperty("left", `${Math.max(4, box.left + window.scrollX - 10)}px`);
};

const close = () => {
  for (const mark of document.querySelectorAll(".hint-mark")) mark.remove();
  list.hidden = true;
  opener.setAttribute("aria-expanded", "false");
};

const open = () => {
  let number = 0;
  for (const entry of list.querySelectorAll("li[data-at]")) {
    const target = [...document.querySelectorAll(entry.dataset.at)].find((one) => one.getClientRects().length);
    entry.hidden = !target;
    if (!target) continue;
    number += 1;
    const mark = document.createElement("span");
    mark.className = "hint-mark";
    mark.textContent = number;
    mark.setAttribute("aria-hidden", "true");
    document.body.append(mark);
    place(mark, target);
    entry.onclick = () => target.scrollIntoView({ block: "center" });
  }
  list.hidden = false;
  opener.setAttribute("aria-expanded", "true");
  list.querySelector("button").focus();
};

if (opener && list) {
  opener.setAttribute("aria-expanded", "false");
  opener.setAttribute("aria-controls", "hints");
  opener.setAttribute("role", "button");
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    if (list.hidden) open();
    else close();
  });
  list.querySelector("button").addEventListener("click", () => {
    close();
    opener.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) {
      close();
      opener.focus();
    }
  });
}
