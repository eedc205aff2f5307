// Files that take a while to be made: the button says so and counts the seconds, then the file is saved.
const words = () => document.querySelector("[data-fetch-words]");

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-fetch]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  if (link.getAttribute("aria-disabled") === "true") return;
  const label = link.querySelector("span");
  const before = label.textContent;
  const told = words();
  const begun = performance.now();
  link.setAttribute("aria-disabled", "true");
  const ticking = setInterval(() => {
    const seconds = Math.round((performance.now() - begun) / 1000);
    if (seconds >= 1) label.textContent = `${link.dataset.fetch} ${seconds} s`;
  }, 300);
  if (told) {
    told.textContent = link.dataset.fetch;
    told.hidden = false;
  }
  try {
    const answer = await fetch(link.href, { credentials: "same-origin" });
    const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "");
    if (!answer.ok || !name) {
      // The page that says what is wrong says it better than a line here.
      window.location.href = link.href;
      return;
    }
    const saved = document.createElement("a");
    saved.href = URL.createObjectURL(await answer.blob());
    saved.download = name[1];
    saved.click();
    setTimeout(() => URL.revokeObjectURL(saved.href), 60000);
    if (told) told.textContent = name[1];
  } catch {
    window.location.href = link.href;
  } finally {
    clearInterval(ticking);
    label.textContent = before;
    link.removeAttribute("aria-disabled");
  }
});
