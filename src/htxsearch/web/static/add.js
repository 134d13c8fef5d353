// Dropped files and folders, sent in parts with their progress; the events of a job. Without this the form and the page work.
"use strict";

(function () {
  const form = document.querySelector("form[data-drop]");
  if (!form) return;
  const list = form.querySelector("[data-uploads]");
  const chosen = form.querySelector("#file");
  const folder = form.querySelector("#folder");
  const zone = form.querySelector(".drop");
  form.addEventListener("dragover", function (event) {
    event.preventDefault();
    zone.classList.add("over");
  });
  form.addEventListener("dragleave", function () { zone.classList.remove("over"); });
  form.addEventListener("drop", async function (event) {
    event.preventDefault();
    zone.classList.remove("over");
    const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
    const entries = items.map((item) => item.webkitGetAsEntry() || item.getAsFile()); // before anything is waited for
    const files = (await Promise.all(entries.filter(Boolean).map(filesOf))).flat();
    if (files.length) send(files);
  });
  form.addEventListener("submit", function (event) {
    const files = [...chosen.files, ...folder.files];
    if (!files.length) return; // an address alone needs no script
    event.preventDefault();
    send(files);
  });

  async function filesOf(entry) {
    if (entry instanceof File) return [entry];
    if (entry.isFile) return new Promise((resolve) => entry.file((file) => resolve([file]), () => resolve([])));
    const reader = entry.createReader();
    const inside = [];
    for (;;) {
      const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
      if (!some.length) break;
      inside.push(...some);
    }
    return (await Promise.all(inside.filter((one) => !one.name.startsWith(".")).map(filesOf))).flat();
  }

  function parts(files) {
    const most = Number(form.dataset.maxFiles);
    const bytes = Number(form.dataset.maxBytes) - 1e5;
    const found = [];
    let size = 0;
    for (const file of files) {
      if (file.size > bytes) {
        line(file.name).textContent = form.dataset.tooLarge;
        continue;
      }
      if (!found.length || found.at(-1).length >= most || size + file.size > bytes) {
        found.push([]);
        size = 0;
      }
      found.at(-1).push(file);
      size += file.size;
    }
    return found;
  }

  function line(name) {
    const item = document.createElement("li");
    const title = document.createElement("bdi");
    title.textContent = name;
    const about = document.createElement("p");
    about.className = "about";
    item.append(title, about);
    list.append(item);
    return about;
  }

  async function send(files) {
    const all = parts(files);
    for (const part of all) {
      const about = line(part.length === 1 ? part[0].name : part[0].name + " + " + (part.length - 1));
      const address = await sent(part, about);
      if (address && all.length === 1) location.href = address;
    }
    chosen.value = folder.value = "";
  }

  function sent(part, about) {
    const content = new FormData();
    for (const field of form.querySelectorAll("fieldset input")) if (field.value) content.append(field.name, field.value);
    const url = form.querySelector("#url");
    if (url.value) content.append("url", url.value);
    url.value = "";
    for (const file of part) content.append("file", file, file.name);
    return new Promise(function (resolve) {
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.setRequestHeader("Accept", "application/json");
      const bar = document.createElement("progress");
      bar.setAttribute("aria-label", form.dataset.sending);
      about.replaceChildren(bar);
      request.upload.addEventListener("progress", function (event) {
        if (event.lengthComputable) { bar.max = event.total; bar.value = event.loaded; }
      });
      request.addEventListener("loadend", function () {
        const isJob = new URL(request.responseURL || location.href).pathname === "/job";
        if (request.status === 200 && isJob) {
          const link = document.createElement("a");
          link.href = request.responseURL;
          link.textContent = form.dataset.job;
          about.replaceChildren(form.dataset.sent, " ", link);
          resolve(request.responseURL);
          return;
        }
        let reason = "";
        try { reason = JSON.parse(request.responseText).detail || ""; } catch { /* no answer */ }
        about.textContent = form.dataset.failed + " " + reason;
        resolve("");
      });
      request.send(content);
    });
  }
})();

(function () {
  const place = document.querySelector("[data-events]");
  if (!place) return;
  const bar = place.querySelector("progress");
  const events = new EventSource(place.dataset.events);
  const first = { state: place.querySelector("[role=status]").textContent, kind: "" };
  events.addEventListener("message", function (event) {
    const job = JSON.parse(event.data);
    if (job.state === "done" || job.state === "failed" || (first.kind && first.kind !== job.state)) {
      events.close();
      location.reload();
      return;
    }
    first.kind = job.state;
    bar.max = job.total || 1;
    bar.value = job.done;
    if (job.percent !== null) { bar.max = 100; bar.value = job.percent; }
    place.querySelector("[data-count]").textContent = job.percent !== null
      ? place.dataset.percent.replace("%", job.percent + " %")
      : job.total ? place.dataset.sources + " " + job.done + "/" + job.total : "";
    place.querySelector("[data-current]").textContent = job.current;
  });
})();
