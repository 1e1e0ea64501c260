"use strict";
(function () {
  const root = document.documentElement;
  const names = { zh: "zh-CN", en: "en" };
  root.classList.add("js");

  // Language: one attribute on the root shows one language and hides the other; nothing is stored.
  const buttons = document.querySelectorAll(".switch button");
  function show(language) {
    root.dataset.lang = language;
    root.lang = names[language];
    document.title = document.body.dataset[language === "zh" ? "titleZh" : "titleEn"];
    buttons.forEach(function (b) { b.setAttribute("aria-pressed", String(b.dataset.to === language)); });
  }
  buttons.forEach(function (b) { b.addEventListener("click", function () { show(b.dataset.to); }); });
  document.querySelector(".switch").hidden = false;
  show(root.dataset.lang);

  // Tables: a click on a heading sorts by it, by value where there is one, by the text shown otherwise.
  function key(row, i) {
    const cell = row.cells[i];
    if (cell.dataset.v !== undefined) return parseFloat(cell.dataset.v);
    const text = cell.innerText.trim();
    return text === "–" ? null : text;
  }
  function compare(a, b) {
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), root.lang);
  }
  function sort(table, head) {
    const i = head.cellIndex, down = head.getAttribute("aria-sort") === "ascending";
    const body = table.tBodies[0], rows = Array.from(body.rows).map(function (r) { return [key(r, i), r]; });
    rows.sort(function (x, y) {
      if (x[0] === null || y[0] === null) return compare(x[0], y[0]);
      return down ? compare(y[0], x[0]) : compare(x[0], y[0]);
    });
    rows.forEach(function (pair) { body.appendChild(pair[1]); });
    table.querySelectorAll("th").forEach(function (h) { h.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
  }
  document.querySelectorAll("table.sortable").forEach(function (table) {
    table.querySelectorAll("th").forEach(function (head) {
      head.tabIndex = 0;
      head.addEventListener("click", function () { sort(table, head); });
      head.addEventListener("keydown", function (event) {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(table, head); }
      });
    });
  });

  // Filter: rows that hold every word typed, in either language.
  document.querySelectorAll(".filter").forEach(function (box) {
    const rows = box.parentElement.querySelector("tbody").rows;
    box.hidden = false;
    box.querySelector("input").addEventListener("input", function (event) {
      const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
      Array.from(rows).forEach(function (row) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every(function (w) { return text.includes(w); });
      });
    });
  });

  // Contents: the section being read is marked.
  const links = new Map(Array.from(document.querySelectorAll("nav a")).map(function (a) { return [a.hash.slice(1), a]; }));
  if ("IntersectionObserver" in window) {
    const watch = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        if (!entry.isIntersecting) return;
        links.forEach(function (a) { a.classList.remove("here"); });
        const link = links.get(entry.target.id);
        if (link) link.classList.add("here");
      });
    }, { rootMargin: "0px 0px -75% 0px" });
    document.querySelectorAll("main section").forEach(function (s) { watch.observe(s); });
  }
})();
