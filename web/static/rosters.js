// The week of a roster: drawing shifts on a row and stretching them, by mouse and by keyboard.
// Whatever is drawn opens the form with it filled in; without this file the form is all there is.
"use strict";

(() => {
  const grid = document.getElementById("week-grid");
  if (!grid) return;
  const SVG = "http://www.w3.org/2000/svg";
  const STEP = 30 * 60; // seconds
  const EDGE = 9; // pixels at the end of a bar by which it is pulled
  const days = grid.dataset.days.trim().split(/\s+/).map(Number); // midnights, seconds
  const said = document.createElement("p");
  said.className = "grid-said";
  said.setAttribute("role", "status");
  grid.after(said);

  const clock = new Intl.DateTimeFormat(document.documentElement.lang, {
    timeZone: grid.dataset.zone, weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
  const words = (start, end) => clock.formatRange(new Date(start * 1000), new Date(end * 1000));
  const text = (at) => `${new Date(at * 1000).toISOString().slice(0, 16)}Z`;

  // A day takes a seventh of the row, however many hours it has.
  const momentAt = (row, x) => {
    const box = row.getBoundingClientRect();
    const place = Math.min(Math.max((x - box.left) / box.width, 0), 0.99999) * (days.length - 1);
    const day = Math.floor(place);
    const length = days[day + 1] - days[day];
    return days[day] + Math.round(((place - day) * length) / STEP) * STEP;
  };
  const placeOf = (at) => {
    let day = days.length - 2;
    while (day > 0 && days[day] > at) day -= 1;
    return ((day + Math.min((at - days[day]) / (days[day + 1] - days[day]), 1)) / (days.length - 1)) * 100;
  };
  const clamp = (at) => Math.min(Math.max(at, days[0]), days.at(-1));

  const draw = (row, start, end) => {
    let box = row.querySelector(".drawn");
    if (!box) {
      box = document.createElementNS(SVG, "rect");
      box.setAttribute("class", "drawn");
      box.setAttribute("y", ".125rem");
      box.setAttribute("height", "2rem");
      box.setAttribute("rx", "5");
      row.append(box);
    }
    const x = placeOf(clamp(start));
    box.setAttribute("x", `${x}%`);
    box.setAttribute("width", `${Math.max(placeOf(clamp(end)) - x, 0.2)}%`);
    said.textContent = `${row.dataset.name}: ${words(start, end)}`;
  };
  const wipe = () => {
    document.querySelectorAll(".drawn").forEach((box) => box.remove());
    said.textContent = "";
  };
  const go = (address, values) => {
    const url = new URL(address, window.location.href);
    for (const [name, value] of Object.entries(values)) url.searchParams.set(name, value);
    window.location.assign(url);
  };
  const make = (row, start, end) => {
    go(grid.dataset.new, { operator: row.dataset.operator, start: text(start), end: text(end) });
  };
  const stretch = (slot, start, end) => go(slot.dataset.edit, { start: text(start), end: text(end) });
  const spanOf = (slot) => ({
    start: Date.parse(slot.dataset.start) / 1000, end: Date.parse(slot.dataset.end) / 1000,
  });

  // ── Mouse and pen; a finger scrolls the page ───────────────────────────────────────────────
  let pulling = null;
  let pulled = false; // the click that ends a pull opens nothing
  const edgeOf = (slot, x) => {
    if (!slot?.dataset.edit) return null;
    const box = slot.getBoundingClientRect();
    if (box.width < EDGE * 2.5) return null;
    if (box.right - x <= EDGE) return "end";
    return x - box.left <= EDGE ? "start" : null;
  };
  grid.addEventListener("pointerdown", (event) => {
    const row = event.target.closest("[data-operator]");
    if (!row || event.button !== 0 || event.pointerType === "touch") return;
    const slot = event.target.closest("a.slot");
    const edge = edgeOf(slot, event.clientX);
    if (slot && !edge) return;
    event.preventDefault();
    pulled = false;
    const at = momentAt(row, event.clientX);
    pulling = slot
      ? { row, slot, edge, from: event.clientX, ...spanOf(slot) }
      : { row, anchor: at, start: at, end: at + STEP, from: event.clientX };
    row.setPointerCapture(event.pointerId);
  });
  grid.addEventListener("pointermove", (event) => {
    if (!pulling) {
      const slot = event.target.closest?.("a.slot");
      if (slot) slot.classList.toggle("at-edge", Boolean(edgeOf(slot, event.clientX)));
      return;
    }
    if (Math.abs(event.clientX - pulling.from) > 3) pulled = true;
    const at = momentAt(pulling.row, event.clientX);
    if (pulling.slot) {
      if (pulling.edge === "end") pulling.end = Math.max(at, pulling.start + STEP);
      else pulling.start = Math.min(at, pulling.end - STEP);
    } else {
      pulling.start = Math.min(at, pulling.anchor);
      pulling.end = Math.max(at, pulling.anchor + STEP);
    }
    draw(pulling.row, pulling.start, pulling.end);
  });
  grid.addEventListener("pointerup", () => {
    const done = pulling;
    pulling = null;
    if (!done) return;
    if (!pulled) wipe();
    else if (done.slot) stretch(done.slot, done.start, done.end);
    else make(done.row, done.start, done.end);
  });
  grid.addEventListener("pointercancel", () => { pulling = null; wipe(); });
  grid.addEventListener("click", (event) => {
    if (pulled) event.preventDefault();
    pulled = false;
  }, true);
  grid.addEventListener("dragstart", (event) => event.preventDefault());

  // ── Keyboard: a cursor on each row, and the ends of bars ───────────────────────────────────
  const startOf = (row) => {
    const first = Math.max(days[0], Math.min(Math.floor(Date.now() / 1000 / STEP) * STEP, days.at(-1) - STEP));
    return { row, start: first, end: first + 2 * STEP };
  };
  const chosen = new Map();
  document.querySelectorAll(".grid-bars[data-operator]").forEach((row) => {
    const box = document.createElementNS(SVG, "rect");
    for (const [name, value] of Object.entries({
      class: "cursor-box", width: "100%", height: "100%", tabindex: "0", role: "button",
      "aria-label": `${row.dataset.name}: ${grid.dataset.newWords}. ${grid.dataset.help}`,
    })) box.setAttribute(name, value);
    row.prepend(box);
    box.addEventListener("focus", () => {
      if (!box.matches(":focus-visible")) return;
      if (!chosen.has(row)) chosen.set(row, startOf(row));
      draw(row, chosen.get(row).start, chosen.get(row).end);
    });
    box.addEventListener("blur", wipe);
  });
  const SIDEWAYS = { ArrowLeft: -1, ArrowRight: 1 };
  grid.addEventListener("keydown", (event) => {
    const way = SIDEWAYS[event.key];
    const row = event.target.closest("[data-operator]");
    if (!row || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.classList.contains("cursor-box")) {
      const at = chosen.get(row) ?? startOf(row);
      chosen.set(row, at);
      const rows = [...grid.querySelectorAll(".cursor-box")];
      if (way && event.shiftKey) at.end = Math.max(at.start + STEP, clamp(at.end + way * STEP));
      else if (way) {
        const length = at.end - at.start;
        at.start = Math.min(Math.max(at.start + way * STEP, days[0]), days.at(-1) - length);
        at.end = at.start + length;
      } else if (event.key === "PageDown" || event.key === "PageUp") {
        const day = (event.key === "PageDown" ? 1 : -1) * 24 * 3600;
        const length = at.end - at.start;
        at.start = Math.min(Math.max(at.start + day, days[0]), days.at(-1) - length);
        at.end = at.start + length;
      } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        rows[rows.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
        event.preventDefault();
        return;
      } else if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        make(row, at.start, at.end);
        return;
      } else return;
      event.preventDefault();
      draw(row, at.start, at.end);
      return;
    }
    const slot = event.target.closest("a.slot[data-edit]");
    if (!slot) return;
    const at = chosen.get(slot);
    if (way && event.shiftKey) {
      event.preventDefault();
      const span = at ?? spanOf(slot);
      span.end = Math.max(span.start + STEP, span.end + way * STEP);
      chosen.set(slot, span);
      draw(row, span.start, span.end);
      said.textContent += `. ${grid.dataset.stretchHelp}`;
    } else if (event.key === "Enter" && at) {
      event.preventDefault();
      stretch(slot, at.start, at.end);
    } else if (event.key === "Escape") {
      chosen.delete(slot);
      wipe();
    }
  });
})();
