// What pages do beyond links and forms. No framework, no inline handlers: the policy forbids them.
"use strict";

(() => {
  const one = (selector, root = document) => root.querySelector(selector);

  // The browser's time zone goes with the sign-in.
  const zone = one("input[data-zone]");
  if (zone) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";

  // ── The menu of small screens ──────────────────────────────────────────────────────────────
  const button = one("#menu-button");
  const menu = one("#menu");
  const setMenu = (open) => {
    document.body.classList.toggle("menu-open", open);
    button.setAttribute("aria-expanded", String(open));
    if (open) one(".menu-link", menu)?.focus({ preventScroll: true });
    else if (menu.contains(document.activeElement)) button.focus();
  };
  button?.addEventListener("click", () => setMenu(!document.body.classList.contains("menu-open")));
  one("#veil")?.addEventListener("click", () => setMenu(false));

  // ── Dialogs and copying ────────────────────────────────────────────────────────────────────
  const live = one("#live");
  const say = (text) => {
    live.textContent = "";
    window.setTimeout(() => { live.textContent = text; }, 50);
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
    if (event.key === "Escape" && document.body.classList.contains("menu-open")) setMenu(false);
    const typing = event.target instanceof Element
      && event.target.closest("input, textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    if (event.key === "/") {
      const search = one("[data-search]");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    } else if (event.key === "?") {
      one("#help")?.showModal();
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
    if (!event.target.closest("[data-quiet]")) say(live.dataset.loaded);
  });
  for (const failure of ["htmx:responseError", "htmx:sendError"]) {
    document.addEventListener(failure, (event) => {
      if (!event.target.closest("[data-quiet]")) say(live.dataset.failed);
    });
  }
})();
