// Completions and results while typing, "/" for the search box, filters at once, a list that comes after its page, a button
// that copies a citation.
// Everything on the pages works without this.
"use strict";

// The main part of a page, in place of the present one. A newer call cancels an older one.
const showPage = (function () {
  let pending = null;
  return async function (address, focus) {
    if (pending) pending.abort();
    const request = (pending = new AbortController());
    try {
      const response = await fetch(address, { signal: request.signal });
      if (!response.ok || request !== pending) return;
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (request !== pending) return;
      for (const id of ["main", "kept"]) {
        const [present, coming] = [document.getElementById(id), page.getElementById(id)];
        if (present && coming) present.replaceChildren(...coming.childNodes);
      }
      document.title = page.title;
      const language = [document, page].map(function (one) { return one.querySelector("a[hreflang]"); });
      if (language[0] && language[1]) language[0].href = language[1].getAttribute("href");
      history.replaceState(null, "", address);
      const again = focus && document.querySelector(focus);
      if (again) again.focus({ preventScroll: true });
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  };
})();

function addressOf(form) {
  const fields = [...new FormData(form)].filter(function (field) { return field[1].trim(); });
  return form.getAttribute("action") + "?" + new URLSearchParams(fields);
}

document.addEventListener("keydown", function (event) {
  const field = document.getElementById("q") || document.getElementById("indicator");
  if (event.key === "/" && field && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input, textarea, select")) {
    event.preventDefault();
    field.select();
  }
  if (event.key === "Escape" && location.hash === "#filters") location.hash = "results";
});

// Filters: a tick applies at once beside the results; in the drawer of a phone the button does.
document.addEventListener("change", function (event) {
  const box = event.target;
  if (!box.matches(".filter input[type=checkbox]") || location.hash === "#filters") return;
  showPage(addressOf(box.form), ".filter input[name=" + box.name + '][value="' + CSS.escape(box.value) + '"]');
});

document.addEventListener("input", function (event) {
  if (!event.target.matches(".find-choice")) return;
  function folded(text) {
    return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[đĐ]/g, "d").toLowerCase();
  }
  const [group, typed] = [event.target.closest("fieldset"), folded(event.target.value.trim())];
  for (const item of group.querySelectorAll("ul.values > li")) item.hidden = !folded(item.textContent).includes(typed);
  const more = group.querySelector("details");
  if (more && typed) more.open = true;
});

(function () {
  const input = document.querySelector("input[data-completions]");
  if (!input) return;
  const list = document.createElement("ul");
  list.id = "completions";
  list.className = "completions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.dataset.label);
  list.hidden = true;
  input.closest("form").append(list);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");

  const DELAY_MS = 120; // after the last key, before the server is asked
  const MAX_LENGTH = 200; // as the API allows
  let chosen = -1;
  let lastRequest = 0;
  let timer = 0;
  let pending = null;

  // Results while typing, where results are shown: asked for when the typing rests.
  const REST_MS = 450;
  let rest = 0;
  input.addEventListener("input", function (event) {
    clearTimeout(rest);
    if (event.isComposing || !document.querySelector(".results")) return;
    rest = setTimeout(function () { if (input.value.trim()) showPage(addressOf(input.form)); }, REST_MS);
  });
  input.form.addEventListener("submit", function () { clearTimeout(rest); });

  function close() {
    clearTimeout(timer);
    lastRequest += 1; // a response under way is too late
    if (pending) pending.abort();
    list.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function choose(number) {
    const options = list.children;
    if (chosen >= 0) options[chosen].setAttribute("aria-selected", "false");
    chosen = (number + options.length + 1) % (options.length + 1);
    if (chosen === options.length) chosen = -1;
    if (chosen < 0) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    options[chosen].setAttribute("aria-selected", "true");
    options[chosen].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[chosen].id);
  }

  function take(option) {
    input.value = option.dataset.text;
    close();
    input.form.requestSubmit();
  }

  function show(completions) {
    list.replaceChildren();
    completions.forEach(function (completion, number) {
      const option = document.createElement("li");
      option.id = "completion-" + number;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.text = completion.text;
      const articles = document.createElement("span");
      articles.className = "count";
      articles.textContent = completion.articles.toLocaleString(document.documentElement.lang);
      option.append(completion.text, " ", articles);
      list.append(option);
    });
    chosen = -1;
    list.hidden = completions.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    input.removeAttribute("aria-activedescendant");
  }

  async function complete() {
    const typed = input.value;
    const request = ++lastRequest;
    if (pending) pending.abort();
    if (!typed.trim() || typed.length > MAX_LENGTH) return close();
    pending = new AbortController();
    try {
      const response = await fetch(input.dataset.completions + "?q=" + encodeURIComponent(typed), { signal: pending.signal });
      if (!response.ok) return;
      const answer = await response.json();
      if (request === lastRequest && document.activeElement === input) show(answer.suggestions);
    } catch (error) {
      if (error.name !== "AbortError" && request === lastRequest) close();
    }
  }

  input.addEventListener("input", function (event) {
    if (event.isComposing) return;
    clearTimeout(timer);
    timer = setTimeout(complete, DELAY_MS);
  });
  input.addEventListener("compositionend", function () {
    clearTimeout(timer);
    timer = setTimeout(complete, DELAY_MS);
  });
  input.addEventListener("keydown", function (event) {
    if (event.isComposing || list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const up = chosen < 0 ? list.children.length - 1 : chosen - 1;
      choose(event.key === "ArrowDown" ? chosen + 1 : up < 0 ? list.children.length : up);
    } else if (event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      take(list.children[chosen]);
    } else if (event.key === "Escape") {
      event.preventDefault();
      close();
    } else if (event.key === "Tab") {
      close();
    }
  });
  list.addEventListener("pointerdown", function (event) {
    event.preventDefault(); // the field keeps the focus
    const option = event.target.closest("[role=option]");
    if (option && event.button === 0) take(option);
  });
  input.addEventListener("blur", close);
  input.form.addEventListener("submit", close);
})();

// A list that takes longer than its page: asked for when a reader is about to see it. Its first paragraph says what was found.
(function () {
  const AHEAD = "1000px 0px"; // some screens before the list
  const place = document.querySelector("section.later");
  if (!place) return;
  const [said, list] = [place.querySelector("[role=status]"), place.querySelector("div")];
  async function fill() {
    said.textContent = place.dataset.pending;
    try {
      const response = await fetch(place.dataset.list);
      if (!response.ok) throw new Error(response.status);
      const coming = new DOMParser().parseFromString(await response.text(), "text/html").body;
      said.textContent = coming.firstElementChild.textContent;
      coming.firstElementChild.remove();
      list.replaceChildren(...coming.childNodes);
    } catch {
      said.textContent = place.dataset.failed; // the link above leads to the list
    }
  }
  new IntersectionObserver(function (seen, observer) {
    if (!seen.some(function (one) { return one.isIntersecting; })) return;
    observer.disconnect();
    fill();
  }, { rootMargin: AHEAD }).observe(place);
})();

(function () {
  const COPIED_MS = 2000; // how long the button says that it has copied
  for (const button of document.querySelectorAll("button[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    const label = button.textContent;
    button.addEventListener("click", async function () {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = button.dataset.done;
      setTimeout(function () { button.textContent = label; }, COPIED_MS);
    });
  }
})();
