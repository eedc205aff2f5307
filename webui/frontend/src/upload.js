// Upload with the amount sent and the time left; the plain form does the same without it.
function timeLeft(seconds, words) {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return words.seconds.replace("{n}", whole);
  return words.minutes.replace("{n}", Math.floor(whole / 60)).replace("{s}", whole % 60);
}

for (const form of document.querySelectorAll("form[data-upload]")) {
  const box = form.querySelector("[data-upload-progress]");
  const bar = box.querySelector("progress");
  const line = box.querySelector("[data-upload-line]");
  const problem = form.querySelector("[data-upload-problem]");
  const send = form.querySelector("[type=submit]");
  const words = form.dataset;
  const megabytes = (bytes) => (bytes / 1048576).toLocaleString(document.documentElement.lang, { maximumFractionDigits: bytes < 10485760 ? 1 : 0 });

  const refuse = (sentence) => {
    box.hidden = true;
    send.disabled = false;
    send.querySelector("span").textContent = send.dataset.rest;
    problem.textContent = sentence;
    problem.hidden = false;
    problem.focus();
  };

  form.addEventListener("submit", (event) => {
    const file = form.querySelector("input[type=file]").files[0];
    if (!file) return;
    event.preventDefault();
    problem.hidden = true;
    if (file.size > Number(words.maxBytes)) {
      refuse(words.tooBig);
      return;
    }
    const request = new XMLHttpRequest();
    const started = performance.now();
    request.open("POST", form.action);
    request.setRequestHeader("X-Requested-With", "loa");
    request.upload.addEventListener("progress", (progress) => {
      const spent = (performance.now() - started) / 1000;
      const left = progress.loaded ? (spent / progress.loaded) * (progress.total - progress.loaded) : 0;
      bar.max = progress.total;
      bar.value = progress.loaded;
      line.textContent = words.line
        .replace("{done}", megabytes(progress.loaded))
        .replace("{total}", megabytes(progress.total))
        .replace("{time}", timeLeft(left, { seconds: words.seconds, minutes: words.minutes }));
    });
    request.addEventListener("load", () => {
      let answer = null;
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        refuse(words.lost);
        return;
      }
      if (answer.location) window.location.assign(answer.location);
      else refuse(answer.message ?? words.lost);
    });
    request.addEventListener("error", () => refuse(words.lost));
    box.hidden = false;
    send.disabled = true;
    send.querySelector("span").textContent = send.dataset.busy;
    request.send(new FormData(form));
  });
}
