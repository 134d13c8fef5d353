// What is new since the last visit, and saved searches, both kept in this browser alone. The page works without this.
"use strict";

(function () {
  const VISITS = "htxsearch.visits";
  const SEARCHES = "htxsearch.searches";

  function read(key) {
    try {
      const value = JSON.parse(localStorage.getItem(key));
      return value && typeof value === "object" && !Array.isArray(value) ? value : {};
    } catch {
      return {};
    }
  }

  function write(key, value) {
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch {
      // a private window keeps nothing
    }
  }

  const visits = read(VISITS);

  function badge(text) {
    const mark = document.createElement("strong");
    mark.className = "badge";
    mark.textContent = text;
    return mark;
  }

  const list = document.querySelector("[data-stamp]");
  if (list) {
    const before = visits[list.dataset.list];
    for (const item of list.querySelectorAll("[data-entered]")) {
      if (before !== undefined && Number(item.dataset.entered) > before) item.prepend(badge(list.dataset.badge), " ");
    }
    visits[list.dataset.list] = Number(list.dataset.stamp);
    write(VISITS, visits);
  }

  const save = document.querySelector("[data-save-search]");
  if (save) {
    save.hidden = false;
    save.addEventListener("click", function () {
      const searches = read(SEARCHES);
      const address = new URL(location.href);
      for (const name of ["page", "order", "month"]) address.searchParams.delete(name);
      searches[address.pathname + address.search] = save.dataset.saveSearch;
      write(SEARCHES, searches);
      save.textContent = save.dataset.done;
      save.disabled = true;
    });
  }

  const saved = document.querySelector("[data-saved-searches]");
  if (saved) show();

  function show() {
    const searches = Object.entries(read(SEARCHES)).filter(([address]) => address.startsWith("/new?"));
    saved.hidden = searches.length === 0;
    saved.querySelector("ul").replaceChildren(...searches.map(([address, query]) => line(address, String(query))));
  }

  function line(address, query) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = address;
    link.textContent = query;
    const feed = document.createElement("a");
    feed.href = "/feed" + address.slice("/new".length);
    feed.textContent = saved.dataset.feed;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "button";
    remove.textContent = saved.dataset.remove;
    remove.setAttribute("aria-label", saved.dataset.remove + ": " + query);
    remove.addEventListener("click", function () {
      const searches = read(SEARCHES);
      delete searches[address];
      write(SEARCHES, searches);
      show();
    });
    item.append(link, " · ", feed, " ", remove);
    count(address, link);
    return item;
  }

  async function count(address, link) {
    const before = visits[address];
    if (before === undefined) return;
    const asked = new URL(address, location.href).searchParams;
    const wanted = new URLSearchParams({ limit: "1", since: String(before + 1) });
    for (const name of ["q", "place", "source"]) for (const value of asked.getAll(name)) wanted.append(name, value);
    const response = await fetch("/api/articles?" + wanted).catch(() => null);
    if (!response || !response.ok) return;
    const answer = await response.json();
    if (answer.total) link.after(" ", badge(answer.total.toLocaleString(document.documentElement.lang) + " " + saved.dataset.new));
  }
})();
