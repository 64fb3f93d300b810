// What pages do beyond links and forms. No framework, no inline handlers: the policy forbids them.
"use strict";

(() => {
  const one = (selector, root = document) => root.querySelector(selector);

  // The browser's time zone goes with the sign-in.
  const zone = one("input[data-zone]");
  if (zone) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";

  // ── The menu of small screens ──────────────────────────────────────────────────────────────
  // Elements are looked up when they are needed: the body may be another one by then.
  const menuIsOpen = () => document.body.classList.contains("menu-open");
  const setMenu = (open) => {
    const button = one("#menu-button");
    const menu = one("#menu");
    const hadFocus = menu.contains(document.activeElement);
    document.body.classList.toggle("menu-open", open);
    button.setAttribute("aria-expanded", String(open));
    // Neither Tab nor a screen reader gets behind the open menu.
    document.querySelectorAll("[data-behind-menu]").forEach((behind) => { behind.inert = open; });
    if (open) one(".menu-link", menu)?.focus({ preventScroll: true });
    else if (hadFocus) button.focus();
  };
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    if (event.target.closest("#menu-button")) setMenu(!menuIsOpen());
    else if (event.target.closest("#veil, #menu-close")) setMenu(false);
  });
  // Turned or widened: the menu stands beside the page then.
  window.matchMedia("(min-width: 992px)").addEventListener("change", () => {
    if (menuIsOpen()) setMenu(false);
  });

  // ── Dialogs and copying ────────────────────────────────────────────────────────────────────
  const say = (text) => {
    one("#live").textContent = "";
    window.setTimeout(() => { one("#live").textContent = text; }, 50);
  };

  const copy = async (from) => {
    const text = from.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without https there is no clipboard: an old way works.
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "visually-hidden";
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      from.focus();
    }
    say(from.dataset.copied);
    const before = from.title;
    from.title = from.dataset.copied;
    from.classList.add("btn-primary");
    window.setTimeout(() => {
      from.title = before;
      from.classList.remove("btn-primary");
    }, 1500);
  };

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const opener = target?.closest("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
    else if (target?.closest("[data-close]")) target.closest("dialog")?.close();
    else if (target instanceof HTMLDialogElement) target.close(); // the backdrop
    const copied = target?.closest("[data-copy]");
    if (copied) copy(copied);
  });

  // ── Keys ───────────────────────────────────────────────────────────────────────────────────
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menuIsOpen()) setMenu(false);
    const typing = event.target instanceof Element
      && event.target.closest("input, textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    // The key of the slash counts, too: with a Russian layout it writes a full stop.
    if (event.key === "?") {
      one("#help")?.showModal();
    } else if (event.key === "/" || (event.code === "Slash" && !event.shiftKey)) {
      const search = one("[data-search]");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    }
  });

  // ── A form is sent once ────────────────────────────────────────────────────────────────────
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  });

  // ── htmx: the token with what changes things, and words for screen readers ─────────────────
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb !== "get") {
      event.detail.headers["X-CSRFToken"] = one('meta[name="csrf-token"]').content;
    }
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!event.target.closest("[data-quiet]")) say(one("#live").dataset.loaded);
  });

  // ── What renews itself keeps the focus, what is unfolded, and how far it was scrolled ──────
  const KEPT = "a[href], button, summary, [tabindex], input[type=checkbox]";
  const nameOf = (element) => element.id
    || `${element.tagName} ${element.getAttribute("href") || element.getAttribute("aria-label") || element.textContent}`;
  // The n-th of its name: a client may stand in two rows.
  const placeOf = (region, element) => {
    const same = [...region.querySelectorAll(KEPT)].filter((one) => nameOf(one) === nameOf(element));
    return { name: nameOf(element), number: same.indexOf(element) };
  };
  const found = (region, place) => [...region.querySelectorAll(KEPT)]
    .filter((one) => nameOf(one) === place.name)[place.number];
  const kept = new Map();
  // Selected text is left alone for a few renewals: time enough to copy it.
  let waited = 0;
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!event.target.matches("[data-quiet]")) return;
    const chosen = window.getSelection();
    const busy = !chosen.isCollapsed && event.target.contains(chosen.anchorNode);
    waited = busy && waited < 6 ? waited + 1 : 0;
    if (waited) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const region = event.detail.target;
    if (!region.matches("[data-quiet]")) return;
    const focus = document.activeElement;
    kept.set(region.id, {
      focus: region !== focus && region.contains(focus) ? placeOf(region, focus) : null,
      chosen: [...region.querySelectorAll("input[type=checkbox]:checked")].map((one) => one.id),
      open: [...region.querySelectorAll("details[open] > summary")].map((one) => placeOf(region, one)),
      scrolled: [...region.querySelectorAll(".table-region")]
        .map((one) => ({ ...placeOf(region, one), left: one.scrollLeft })),
    });
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const region = event.target;
    const before = kept.get(region.id);
    if (!before || !region.matches("[data-quiet]")) return;
    kept.delete(region.id);
    for (const id of before.chosen) {
      const again = document.getElementById(id);
      if (again && region.contains(again)) again.checked = true;
    }
    for (const place of before.open) found(region, place)?.parentElement.setAttribute("open", "");
    for (const place of before.scrolled) {
      const again = found(region, place);
      if (again) again.scrollLeft = place.left;
    }
    if (before.focus) found(region, before.focus)?.focus({ preventScroll: true });
  });
  for (const failure of ["htmx:responseError", "htmx:sendError"]) {
    document.addEventListener(failure, (event) => {
      if (!event.target.closest("[data-quiet]")) say(one("#live").dataset.failed);
    });
  }
})();
