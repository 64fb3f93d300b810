/* A button for web sites: a visitor types a number and is called back. It needs nothing else, sets no
   cookie, and keeps its styles to itself. On a page with a Content-Security-Policy its address must
   stand in script-src and connect-src. */
(() => {
  "use strict";
  const SITE = "@site@";
  const script = document.currentScript;
  if (!script || !script.src || !("attachShadow" in Element.prototype)) return;
  const base = new URL(script.src).origin + "/widget/" + encodeURIComponent(SITE.key);
  const shownIn = script.getAttribute("data-preview"); // the id of an element of the panel
  const preview = shownIn !== null;
  const FRESH = 8 * 60 * 1000; // a challenge is good for ten minutes

  const WORDS = {
    en: {
      open: "Call me back",
      title: "We call you back",
      number: "Your phone number",
      name: "Your name",
      optional: "optional",
      send: "Call me",
      close: "Close",
      working: "One moment…",
      now: "We call you now. Keep your phone at hand.",
      soon: "Thank you. We call you as soon as somebody is free.",
      closed: "Thank you. We are closed now, and call you when we open.",
      closedAt: "Thank you. We are closed now, and call you when we open: {at}.",
      quiet: "Thank you. It is too late to call now: we call you as soon as we may.",
      quietAt: "Thank you. It is too late to call this number now. We call you after {at}.",
      empty: "Enter your phone number.",
      badNumber: "We cannot call this number. Please check it.",
      tooMany: "There are too many requests just now. Please try again later, or call us.",
      failed: "That did not work. Please try again, or call us.",
      insecure: "This page is not secure (https), so the form cannot be sent. Please call us.",
      preview: "This is a preview: nothing was sent.",
    },
    ru: {
      open: "Перезвоните мне",
      title: "Мы вам перезвоним",
      number: "Ваш телефон",
      name: "Как к вам обращаться",
      optional: "необязательно",
      send: "Жду звонка",
      close: "Закрыть",
      working: "Секунду…",
      now: "Звоним вам прямо сейчас. Держите телефон под рукой.",
      soon: "Спасибо! Перезвоним, как только кто-нибудь освободится.",
      closed: "Спасибо! Сейчас мы не работаем и перезвоним, когда откроемся.",
      closedAt: "Спасибо! Сейчас мы не работаем и перезвоним после открытия: {at}.",
      quiet: "Спасибо! Сейчас звонить поздно: перезвоним, как только будет можно.",
      quietAt: "Спасибо! На этот номер сейчас звонить поздно. Перезвоним позже: {at}.",
      empty: "Введите номер телефона.",
      badNumber: "На этот номер мы позвонить не можем. Проверьте его, пожалуйста.",
      tooMany: "Сейчас слишком много заявок. Попробуйте позже или позвоните нам.",
      failed: "Не получилось. Попробуйте ещё раз или позвоните нам.",
      insecure: "Эта страница открыта без защиты (https), поэтому форму не отправить. Позвоните нам.",
      preview: "Это предпросмотр: ничего не отправлено.",
    },
  };
  const wanted = [SITE.language, ...(navigator.languages || []), document.documentElement.lang];
  const language = wanted.map((one) => String(one || "").slice(0, 2)).find((one) => one in WORDS) || "en";
  const words = WORDS[language];

  const STYLE = `
    :host { all: initial; }
    * { box-sizing: border-box; }
    .place { position: fixed; right: max(20px, env(safe-area-inset-right)); bottom: max(20px, env(safe-area-inset-bottom));
      z-index: 2147483000; display: flex; flex-direction: column; align-items: flex-end; gap: 12px;
      font: 16px/1.45 -apple-system, "Segoe UI", Roboto, Arial, sans-serif; color: #1b2733; }
    .place.here { position: static; padding-top: 12px; }
    button { font: inherit; cursor: pointer; }
    .open { display: flex; align-items: center; gap: 10px; min-height: 52px; padding: 0 22px 0 18px; border: 0; border-radius: 26px;
      background: #0b5cad; color: #fff; font-weight: 600; box-shadow: 0 4px 16px rgba(16, 36, 60, .28); }
    .open:hover, .send:hover { background: #094a8c; }
    .open svg { width: 22px; height: 22px; flex: none; }
    :is(button, input):focus-visible { outline: 3px solid #ffb020; outline-offset: 2px; }
    .card { width: min(360px, calc(100vw - 40px)); max-height: calc(100vh - 110px); overflow: auto; padding: 20px; border-radius: 16px;
      background: #fff; border: 1px solid #d5dce4; box-shadow: 0 12px 40px rgba(16, 36, 60, .25); }
    [hidden] { display: none !important; }
    .head { display: flex; align-items: flex-start; justify-content: space-between; gap: 12px; margin-bottom: 14px; }
    h2 { margin: 0; font-size: 20px; line-height: 1.3; font-weight: 650; }
    .site { margin: 2px 0 0; font-size: 14px; color: #51606f; overflow-wrap: anywhere; }
    .close { flex: none; width: 44px; height: 44px; margin: -10px -10px 0 0; border: 0; border-radius: 10px; background: none; color: #51606f; }
    .close:hover { background: #eef2f6; }
    .close svg { width: 20px; height: 20px; display: block; margin: auto; }
    label { display: block; margin: 0 0 4px; font-size: 14px; font-weight: 600; }
    label span { font-weight: 400; color: #51606f; }
    input { display: block; width: 100%; height: 46px; margin: 0 0 14px; padding: 0 12px; border: 1px solid #7b8997; border-radius: 10px;
      background: #fff; color: inherit; font: inherit; }
    input[aria-invalid="true"] { border: 2px solid #b3261e; }
    .send { width: 100%; min-height: 48px; border: 0; border-radius: 10px; background: #0b5cad; color: #fff; font-weight: 600; }
    .send[aria-disabled="true"] { background: #51606f; cursor: progress; }
    .said { margin: 12px 0 0; font-size: 15px; }
    .said:empty { display: none; }
    .said.bad { color: #b3261e; }
    .said.good { margin: 0; }
    .trap { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    @media (prefers-color-scheme: dark) { .card { color-scheme: light; } }
    @media print { .place { display: none; } }
  `;

  function make(tag, attributes, ...inside) {
    const found = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) found.setAttribute(name, value);
    found.append(...inside);
    return found;
  }

  function drawn(path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    const look = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "2" };
    for (const [name, value] of Object.entries(look)) svg.setAttribute(name, value);
    svg.setAttribute("stroke-linecap", "round");
    svg.setAttribute("stroke-linejoin", "round");
    svg.setAttribute("aria-hidden", "true");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  }

  const number = make("input", {
    id: "number", type: "tel", name: "number", autocomplete: "tel", maxlength: "40", required: "", "aria-describedby": "said",
  });
  const name = make("input", { id: "name", type: "text", name: "name", autocomplete: "name", maxlength: "80" });
  const trap = make("input", { id: "website", type: "text", name: "website", autocomplete: "off", tabindex: "-1" });
  const send = make("button", { type: "submit", class: "send" }, words.send);
  const said = make("p", { id: "said", class: "said", role: "status" });
  const close = make("button", { type: "button", class: "close", "aria-label": words.close }, drawn("M18 6 6 18M6 6l12 12"));
  const fields = make("div", {},
    make("label", { for: "number" }, words.number), number,
    make("label", { for: "name" }, words.name, " ", make("span", {}, words.optional)), name,
    make("div", { class: "trap", "aria-hidden": "true" }, make("label", { for: "website" }, "Website"), trap),
    send);
  const form = make("form", { novalidate: "" }, fields, said);
  const title = make("div", {}, make("h2", { id: "title" }, words.title));
  if (SITE.title) title.append(make("p", { class: "site" }, SITE.title));
  const card = make("div", { class: "card", role: "dialog", "aria-labelledby": "title", id: "card", hidden: "" },
    make("div", { class: "head" }, title, close), form);
  const open = make("button", { type: "button", class: "open", "aria-expanded": "false", "aria-haspopup": "dialog" },
    drawn("M5 4h4l2 5-2.5 1.5a11 11 0 0 0 5 5L15 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 6a2 2 0 0 1 2-2"),
    make("span", {}, words.open));
  const place = make("div", { class: preview ? "place here" : "place", lang: language }, card, open);

  let proof = null; // the promise of one, and when it was begun
  let busy = false;

  function say(text, tone) {
    said.className = "said " + tone;
    said.textContent = text;
  }

  function show(shown) {
    card.hidden = !shown;
    open.setAttribute("aria-expanded", String(shown));
    if (!shown) return open.focus();
    if (fields.hidden) { // what was said is over: ask anew
      fields.hidden = false;
      say("", "");
    }
    number.focus();
    if (!preview) prove().catch(() => { proof = null; });
  }

  open.addEventListener("click", () => show(card.hidden));
  close.addEventListener("click", () => show(false));
  card.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      show(false);
    }
  });
  number.addEventListener("input", () => number.removeAttribute("aria-invalid"));

  function refuse(text) {
    number.setAttribute("aria-invalid", "true");
    say(text, "bad");
    number.focus();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    if (!/\d{3}/.test(number.value.replace(/\D/g, ""))) return refuse(words.empty);
    if (preview) return say(words.preview, "");
    busy = true;
    send.setAttribute("aria-disabled", "true");
    say(words.working, "");
    try {
      const [status, told] = await ask();
      if (status === 200) {
        fields.hidden = true;
        number.value = "";
        say(sentence(told), "good");
        close.focus();
      } else if (status === 422) {
        refuse(words.badNumber);
      } else {
        say(status === 429 ? words.tooMany : words.failed, "bad");
      }
    } catch (error) {
      say(error === words.insecure ? words.insecure : words.failed, "bad");
    } finally {
      proof = null;
      busy = false;
      send.removeAttribute("aria-disabled");
    }
  });

  function sentence(told) {
    const timed = told.at && words[told.when + "At"];
    if (!timed) return words[told.when] || words.soon;
    const at = new Date(told.at);
    const look = { weekday: "long", hour: "2-digit", minute: "2-digit" };
    if (at - Date.now() > 6 * 86400000) Object.assign(look, { day: "numeric", month: "long" });
    return timed.replace("{at}", new Intl.DateTimeFormat(language, look).format(at));
  }

  async function ask() {
    const text = await prove();
    const body = JSON.stringify({ number: number.value, name: name.value, website: trap.value, proof: text });
    const answer = await go("/request", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    return [answer.status, await answer.json()];
  }

  function go(path, more) {
    return fetch(base + path, { mode: "cors", credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer", ...more });
  }

  /* The proof of work: keys are derived until one begins as the challenge says. It is begun when the
     form opens, so that it is mostly done when the number is typed. */
  function prove() {
    if (!proof || Date.now() - proof.begun > FRESH) {
      proof = { begun: Date.now(), text: solved() };
    }
    return proof.text;
  }

  async function solved() {
    if (!crypto.subtle) throw words.insecure;
    const answer = await go("/challenge", {});
    if (!answer.ok) throw new Error("challenge: " + answer.status);
    const challenge = await answer.json();
    const { nonce, salt, cost, keyLength, keyPrefix } = challenge.parameters;
    const many = 8;
    for (let first = 0; first < 10000; first += many) {
      const keys = await Promise.all(
        Array.from({ length: many }, (_, nth) => derived(bytes(nonce), bytes(salt), first + nth, cost, keyLength)));
      const nth = keys.findIndex((key) => key.startsWith(keyPrefix));
      if (nth >= 0) return btoa(JSON.stringify({ challenge, solution: { counter: first + nth, derivedKey: keys[nth] } }));
    }
    throw new Error("no solution");
  }

  async function derived(nonce, salt, counter, iterations, length) {
    const password = new Uint8Array(nonce.length + 4);
    password.set(nonce);
    new DataView(password.buffer).setUint32(nonce.length, counter);
    const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const bits = await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations }, key, length * 8);
    return Array.from(new Uint8Array(bits), (one) => one.toString(16).padStart(2, "0")).join("");
  }

  function bytes(hex) {
    return Uint8Array.from(hex.match(/../g), (two) => parseInt(two, 16));
  }

  function begin() {
    const host = make("div", { "data-dutyline": SITE.key });
    const root = host.attachShadow({ mode: "open" });
    try {
      const sheet = new CSSStyleSheet(); // a policy against inline styles does not concern it
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
    } catch {
      root.append(make("style", {}, STYLE));
    }
    root.append(place);
    ((preview && document.getElementById(shownIn)) || document.body).append(host);
  }

  if (document.querySelector(`[data-dutyline="${CSS.escape(SITE.key)}"]`)) return;
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
})();
