// Small behaviours of ordinary pages. Every page works without them; each is asked for by an attribute in the markup.

/** Times in the visitor's own zone: <time data-local datetime="..." data-until="..." data-zone="Europe/Paris">.
 *
 * With data-zone, the nearest [data-local-row] is shown only if clocks there and here differ at that moment. */
function showLocalTimes(root) {
  const language = document.documentElement.lang || undefined;
  const wallClock = (date, timeZone) =>
    new Intl.DateTimeFormat("en-GB", { dateStyle: "short", timeStyle: "short", timeZone }).format(date);
  for (const element of root.querySelectorAll("time[data-local]")) {
    const start = new Date(element.dateTime);
    const end = element.dataset.until ? new Date(element.dataset.until) : null;
    const zone = element.dataset.zone;
    if (Number.isNaN(start.getTime()) || (zone && wallClock(start, zone) === wallClock(start))) continue;
    const format = new Intl.DateTimeFormat(language, {
      weekday: "long",
      day: "numeric",
      month: "long",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      timeZoneName: "short",
    });
    element.textContent = end ? format.formatRange(start, end) : format.format(start);
    element.dir = "auto";
    element.closest("[data-local-row]")?.removeAttribute("hidden");
  }
}

/** <select data-guess-time-zone> starts at the browser's zone, unless the server already chose one. */
function guessTimeZones(root) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const field of root.querySelectorAll("[data-guess-time-zone]")) {
    if (field.dataset.guessTimeZone === "keep" || !zone) continue;
    const isKnown = !field.options || [...field.options].some((option) => option.value === zone);
    if (isKnown) field.value = zone;
  }
}

/** <button data-copy="text" data-copied="Copied">: copies the text and says so. */
async function copyText(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  const label = button.querySelector("[data-label]") ?? button;
  const before = label.textContent;
  label.textContent = button.dataset.copied ?? before;
  setTimeout(() => (label.textContent = before), 2000);
}

/** The navigation's button on phones. */
function foldMenu(root) {
  for (const button of root.querySelectorAll(".site-menu-button")) {
    button.hidden = false;
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => {
      button.setAttribute("aria-expanded", String(button.getAttribute("aria-expanded") !== "true"));
    });
  }
}

/** <div data-wait-for="address">: asks every 20 seconds whether there is something to watch, then shows it. */
function waitForRecording(root) {
  const waiting = root.querySelector("[data-wait-for]");
  if (!waiting) return;
  setInterval(async () => {
    if (document.hidden) return;
    const answer = await fetch(waiting.dataset.waitFor).catch(() => null);
    if (answer?.ok && (await answer.json()).base) location.reload();
  }, 20_000);
}

document.addEventListener("click", (event) => {
  const copy = event.target.closest?.("[data-copy]");
  if (copy) copyText(copy);
});

/** <form data-confirm="Really?"> or a submit button with it asks first. */
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

/** <select data-submit> sends its form when changed; its button is for those without scripts. */
document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-submit]")) event.target.form.requestSubmit();
});

/** Questions that depend on another's answer: fields with data-shown-if and data-shown-if-values. */
function showAskedQuestions() {
  for (const field of document.querySelectorAll("[data-shown-if]")) {
    const other = field.form?.elements.namedItem(field.dataset.shownIf);
    const box = field.closest(".mb-3");
    if (!other || !box) continue;
    const wanted = field.dataset.shownIfValues.split(" ");
    const inputs = other instanceof RadioNodeList ? [...other] : [other];
    const isHidden = (input) => input.closest(".mb-3")?.hidden;
    const chosen = inputs.filter((input) => !isHidden(input) && (input.type !== "radio" && input.type !== "checkbox" || input.checked));
    box.hidden = !chosen.some((input) => wanted.includes(input.value));
  }
}

/** Parts of a form that only some kinds of question have: <fieldset data-for-kind="choice multiple">. */
function showPartsForKind() {
  for (const part of document.querySelectorAll("[data-for-kind]")) {
    const kind = part.closest("form").elements.namedItem("kind");
    part.hidden = !part.dataset.forKind.split(" ").includes(kind.value);
  }
}

function followAnswers() {
  showAskedQuestions();
  showPartsForKind();
}

document.addEventListener("change", followAnswers);
followAnswers();
foldMenu(document);
guessTimeZones(document);
showLocalTimes(document);
waitForRecording(document);
document.addEventListener("htmx:load", (event) => showLocalTimes(event.detail.elt));
