// What pages do besides being pages. Each of them works without this: a script only saves a reload or a press of a key.
// Fragments are fetched as documents (XMLHttpRequest parses them, so no text is ever turned into markup here) and put in
// place of what they are the news of. Events say that something changed, never what.

const HOLD = 400; // ms between two fetches of one region, however many events come
const SLOW = 300; // ms after which a region says that it is being fetched

const $ = (selector, inside = document) => inside.querySelector(selector);
const $$ = (selector, inside = document) => [...inside.querySelectorAll(selector)];

// --- regions that follow what happens ---------------------------------------------------------------------------------

const theirs = new Set(); // ids of <details> that the reader opened or closed: they stay as they are

document.addEventListener("click", (event) => {
  const details = event.target.closest?.("summary")?.parentElement;
  if (details?.id) theirs.add(details.id);
});

function isBusy(element) {
  if (element.matches(":hover") && element.matches(":has(a, button, summary)")) return true;
  if (element.contains(document.activeElement)) return true;
  return $$("input, textarea", element).some((field) => field.type !== "hidden" && field.value !== field.defaultValue);
}

function follow(region) {
  const name = region.dataset.part;
  const held = new Map();
  const note = Object.assign(document.createElement("button"), { type: "button", className: "btn toast", hidden: true });
  note.addEventListener("click", () => { swapHeld(); note.hidden = true; });
  region.before(note);
  let waiting = 0;
  let source = null;

  function swapHeld() {
    for (const [id, news] of held) document.getElementById(id)?.replaceWith(news);
    held.clear();
  }

  function put(old, news) {
    if (old.isEqualNode(news)) return held.delete(old.id);
    if (isBusy(old)) return held.set(old.id, news);
    held.delete(old.id);
    old.replaceWith(news);
  }

  function take(document_) {
    const news = $(`[data-part="${name}"]`, document_);
    if (!news) return location.reload();
    // A form that the reader has not sent keeps its key: the page's own is as good as the new one.
    const key = $("input[name=press]", region)?.value;
    if (key) for (const field of $$("input[name=press]", news)) { field.value = key; field.setAttribute("value", key); }
    const ids = (one) => $$("[data-swap][id]", one).map((each) => each.id).join();
    if (ids(region) === ids(news)) {
      for (const one of $$("[data-swap][id]", news)) put(document.getElementById(one.id), document.importNode(one, true));
      for (const one of $$("details[id]", news)) {
        const old = document.getElementById(one.id);
        if (old && old.open !== one.open && !theirs.has(one.id)) old.open = one.open;
      }
    } else {
      const focused = document.activeElement?.id;
      for (const one of $$("details[id]", news)) {
        const old = document.getElementById(one.id);
        if (old && theirs.has(one.id)) one.open = old.open;
      }
      region.replaceChildren(...[...news.childNodes].map((one) => document.importNode(one, true)));
      if (focused) (document.getElementById(focused) ?? $("h1", region))?.focus?.();
      held.clear();
    }
    note.hidden = held.size === 0;
    note.textContent = `${held.size} change${held.size === 1 ? "" : "s"}, show`;
    if (!news.dataset.events) stop();
  }

  function fetchNews() {
    waiting = 0;
    const slow = setTimeout(() => region.setAttribute("aria-busy", "true"), SLOW);
    const done = () => { clearTimeout(slow); region.removeAttribute("aria-busy"); };
    const request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.setRequestHeader("X-Part", name);
    request.responseType = "document";
    request.onload = () => {
      done();
      if (request.responseURL && new URL(request.responseURL).pathname !== location.pathname) return location.reload();
      lost(request.status >= 500);
      if (request.status < 400 && request.response) take(request.response);
    };
    request.onerror = () => { done(); lost(true); };
    request.send();
  }

  function news() { waiting ||= setTimeout(fetchNews, HOLD); }

  function lost(is) {
    let said = $("#lost");
    if (is && !said) {
      said = Object.assign(document.createElement("p"), { id: "lost", className: "note warn" });
      said.setAttribute("role", "status");
      said.textContent = "The connection is lost. This page catches up as soon as it is there again.";
      region.before(said);
    } else if (!is) said?.remove();
  }

  function start() {
    source = new EventSource(region.dataset.events);
    for (const kind of ["step", "progress"]) source.addEventListener(kind, news);
    source.addEventListener("end", () => { source?.close(); news(); });
    source.onopen = () => lost(false);
    source.onerror = () => { if (source?.readyState === EventSource.CONNECTING) lost(true); };
  }

  function stop() { source?.close(); source = null; lost(false); }

  start();
  // A hidden tab may have missed events: what there is now is asked for anew.
  document.addEventListener("visibilitychange", () => { if (source && !document.hidden) news(); });
}

// --- forms ------------------------------------------------------------------------------------------------------------

// What was typed comes back where a sign-in came between, or a form was sent and no page of ours answered: both said, and
// discarded by one press. Left by a link, or sent and answered, it is gone. Credentials are never kept.
const DRAFT = "form:";

function drafts() {
  const here = $$("form[data-keep]").map((one) => DRAFT + one.dataset.keep);
  for (const place of Object.keys(sessionStorage).filter((one) => one.startsWith(DRAFT))) {
    const draft = JSON.parse(sessionStorage.getItem(place));
    if (location.pathname.startsWith("/sign-in")) sessionStorage.setItem(place, JSON.stringify({ ...draft, state: "lost" }));
    else if (!here.includes(place) && draft.state !== "lost") sessionStorage.removeItem(place);
  }
}

function keep(form) {
  const place = DRAFT + form.dataset.keep;
  const fields = $$("input, textarea, select", form).filter((one) => one.name && !["hidden", "password", "file"].includes(one.type));
  const draft = JSON.parse(sessionStorage.getItem(place) ?? "null");
  const answered = location.search.length > 1 || $("[data-focus]") || $("[role=status] .state");
  sessionStorage.removeItem(place);
  const write = (state) => {
    const values = Object.fromEntries(fields.filter((one) => one.type !== "radio" || one.checked).map((one) => [one.name, one.value]));
    sessionStorage.setItem(place, JSON.stringify({ state, values }));
  };
  form.addEventListener("input", () => write("typed"));
  form.addEventListener("submit", () => write("sent"));
  if (!draft || draft.state === "typed" || answered) return;
  let differs = false;
  for (const one of fields) {
    const was = draft.values[one.name];
    if (was === undefined || one.tagName === "SELECT" && ![...one.options].some((each) => each.value === was)) continue;
    differs ||= one.type === "radio" ? one.checked !== (was === one.value) : one.value !== was;
    if (one.type === "radio") one.checked = was === one.value;
    else one.value = was;
  }
  if (!differs) return;
  write("typed");
  const note = Object.assign(document.createElement("div"), { className: "note info row apart" });
  note.setAttribute("role", "status");
  const said = Object.assign(document.createElement("p"), { textContent: "What you entered earlier is back. It was not saved." });
  const discard = Object.assign(document.createElement("button"), { type: "button", className: "btn", textContent: "Discard it" });
  discard.addEventListener("click", () => { form.reset(); sessionStorage.removeItem(place); note.remove(); });
  note.append(said, discard);
  form.before(note);
}

function fill(input) {
  const target = document.getElementById(input.dataset.fills);
  input.closest("label").hidden = false;
  const read = async (file) => {
    if (!file) return;
    target.value = await file.text();
    target.dispatchEvent(new Event("input", { bubbles: true }));
  };
  input.addEventListener("change", () => read(input.files[0]));
  target.addEventListener("dragover", (event) => event.preventDefault());
  target.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    read(event.dataTransfer.files[0]);
  });
}

function copies(button) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copies);
    field.select(); // where the clipboard is closed (plain http), it is a press of Ctrl C away
    await navigator.clipboard?.writeText(field.value);
    if (navigator.clipboard) button.textContent = "Copied";
  });
}

function saysSo(pressed) {
  // After the browser has taken the form: a button that is off is not sent with it.
  setTimeout(() => {
    pressed.dataset.was = pressed.textContent;
    pressed.lastChild.textContent = pressed.dataset.busy;
    pressed.setAttribute("aria-disabled", "true");
  });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  if (form.method !== "post") return;
  form.dataset.sent = "1";
  if (event.submitter?.dataset.busy) saysSo(event.submitter);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-busy]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) saysSo(link);
});

addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of $$("form[data-sent]")) delete form.dataset.sent;
  for (const one of $$("[data-was]")) { one.lastChild.textContent = one.dataset.was; one.removeAttribute("aria-disabled"); }
});

// --- keys -------------------------------------------------------------------------------------------------------------

const LEADS = { p: "/", r: "/runs", a: "/audit", s: "/schedule", t: "/templates", x: "/access", c: "/changes" };
let leading = false;

const palette = $("#palette");
const asked = $("#palette-q");
let asking = null;
let soon = 0;

function find() {
  asking?.abort();
  const request = asking = new XMLHttpRequest();
  request.open("GET", `/go?q=${encodeURIComponent(asked.value)}`);
  request.setRequestHeader("X-Part", "found");
  request.responseType = "document";
  request.onload = () => {
    const found = request.status < 400 && request.response ? $("[data-found]", request.response) : null;
    if (!found) return asked.form.submit(); // signed out, or refused: the page says so
    $("#palette-found").replaceChildren(document.importNode(found, true));
    $("#palette-said").textContent = found.dataset.found;
  };
  request.send();
}

function ask() {
  $("#keys").close();
  if (!palette.open) { palette.showModal(); find(); } // when it closes, the browser gives the focus back
  asked.select();
}

palette?.addEventListener("input", () => { clearTimeout(soon); soon = setTimeout(find, 150); });
palette?.addEventListener("click", (event) => { if (event.target === palette) palette.close(); });
palette?.addEventListener("keydown", (event) => {
  const stops = [asked, ...$$("#palette-found a")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
  else if (event.key === "Enter" && document.activeElement === asked && stops[1]) stops[1].click();
  else return;
  event.preventDefault();
});
$("#find")?.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  ask();
});

function row(step) {
  const links = $$("[data-rows] tbody th a");
  if (!links.length) return;
  const at = links.indexOf(document.activeElement);
  links[Math.min(links.length - 1, Math.max(0, at < 0 ? 0 : at + step))].focus();
}

document.addEventListener("keydown", (event) => {
  if (palette && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return ask();
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea, select, dialog")) return;
  if (leading && $(`.side a[href="${LEADS[event.key]}"]`)) location.href = LEADS[event.key];
  leading = event.key === "g";
  const found = { "/": () => $("#q")?.focus(), n: () => $("a[aria-keyshortcuts=n]")?.click(), "?": () => $("#keys")?.showModal(), j: () => row(1), k: () => row(-1) }[event.key];
  if (!found) return;
  event.preventDefault();
  found();
});

// --- begin ------------------------------------------------------------------------------------------------------------

for (const one of $$("[data-part][data-events]")) follow(one);
drafts();
for (const one of $$("form[data-keep]")) keep(one);
for (const one of $$("input[data-fills]")) fill(one);
for (const one of $$("[data-copies]")) copies(one);
for (const one of $$("form[data-send] input[type=radio]")) one.addEventListener("change", () => one.form.requestSubmit());
$("[data-focus]")?.focus();
const keys = $("#keys-open");
if (keys) { keys.hidden = false; keys.addEventListener("click", () => $("#keys").showModal()); }
