// The transcript beside the player: click a cue to go there; the current one is marked and kept in view. Searching
// inside, copying a link to a moment, and choosing another language.
import { clock, fill } from "./labels.js";

const KEEP_STILL_MS = 4000; // after the reader scrolled by hand
const WAIT_MS = 150; // while somebody types what to look for
const HIGHLIGHTED = "transcript-hit";

export function connectTranscript(panel, player) {
  const body = panel.querySelector("[data-transcript-body]");
  const select = panel.querySelector("[data-transcript-language]");
  const follows = panel.querySelector("[data-transcript-follow]");
  const search = connectSearch(panel, body, () => (readerMovedAt = Date.now()));
  let cues = [];
  let current = null;
  let readerMovedAt = 0;

  const readCues = () => {
    cues = [...body.querySelectorAll("a[data-start]")].map((link) => ({
      link,
      start: Number(link.dataset.start) / 1000,
      end: Number(link.dataset.end) / 1000,
    }));
    current = null;
    search?.read(cues);
    follow();
  };

  const follow = () => {
    const time = player.currentTime;
    const found = lastStartedBefore(cues, time);
    const next = found && time < found.end ? found : null;
    if (next === current) return;
    current?.link.removeAttribute("aria-current");
    current = next;
    if (!current) return;
    current.link.setAttribute("aria-current", "true");
    if (follows?.checked !== false && Date.now() - readerMovedAt > KEEP_STILL_MS) keepInView(body, current.link);
  };

  body.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-start]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.replaceState(null, "", link.hash);
    player.seek(Number(link.dataset.start) / 1000);
  });
  for (const type of ["wheel", "touchmove", "keydown"]) {
    body.addEventListener(type, () => (readerMovedAt = Date.now()), { passive: true });
  }
  select?.addEventListener("change", async () => {
    const answer = await fetch(select.dataset.address.replace(/0\/(?=$|\?)/, `${encodeURIComponent(select.value)}/`));
    if (!answer.ok) return;
    body.innerHTML = await answer.text(); // our own template, escaped by the server
    readCues();
  });
  connectCopy(panel, body, player);
  player.media.addEventListener("timeupdate", follow);
  player.media.addEventListener("seeked", follow);
  readCues();
}

/** The field to search inside: hits are marked, Enter and Shift+Enter go through them. */
function connectSearch(panel, body, moved) {
  const form = panel.querySelector("[data-transcript-search]");
  if (!form) return null;
  form.hidden = false;
  const field = form.querySelector("input");
  const status = form.querySelector("[role=status]");
  let cues = [];
  let hits = [];
  let at = -1;
  let timer = 0;

  const mark = () => {
    for (const { link } of hits) link.classList.remove("is-hit", "is-current-hit");
    const wanted = plain(field.value.trim());
    hits = wanted ? cues.filter(({ text }) => text.includes(wanted)) : [];
    at = -1;
    for (const { link } of hits) link.classList.add("is-hit");
    highlight(hits, wanted);
    status.textContent = !wanted ? "" : hits.length ? fill(form.dataset.found, { count: hits.length }) : form.dataset.none;
    if (hits.length) go(1);
  };
  const go = (step) => {
    if (!hits.length) return;
    hits[at]?.link.classList.remove("is-current-hit");
    at = (at + step + hits.length) % hits.length;
    const { link, start } = hits[at];
    link.classList.add("is-current-hit");
    moved();
    keepInView(body, link);
    status.textContent = fill(form.dataset.place, { number: at + 1, count: hits.length, time: clock(start) });
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(mark, WAIT_MS);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      go(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape" && field.value) {
      event.preventDefault();
      field.value = "";
      mark();
    }
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  return {
    read(found) {
      cues = found.map(({ link, start }) => ({ link, start, text: plain(link.lastElementChild.textContent) }));
      hits = [];
      mark();
    },
  };
}

/** Letters without their marks and capitals, so that "sante" finds "santé" and Arabic is found without its vowels. */
function plain(text) {
  return text.normalize("NFKD").replace(/[\p{Mn}\u0640]/gu, "").toLocaleLowerCase();
}

/** Mark the words themselves, where the browser can do it without changing the document. */
function highlight(hits, wanted) {
  if (!("highlights" in CSS)) return;
  const ranges = [];
  for (const { link } of hits) {
    const walker = document.createTreeWalker(link.lastElementChild, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = plain(node.data);
      // Where taking marks away moves letters, only the cue as a whole is marked.
      if (text.length !== node.data.length) continue;
      for (let from = text.indexOf(wanted); from >= 0; from = text.indexOf(wanted, from + 1)) {
        const range = new Range();
        range.setStart(node, from);
        range.setEnd(node, from + wanted.length);
        ranges.push(range);
      }
    }
  }
  CSS.highlights.set(HIGHLIGHTED, new Highlight(...ranges));
}

/** A link to the cue that the reader is at, else to the player's moment. */
function connectCopy(panel, body, player) {
  const button = panel.querySelector("[data-transcript-copy]");
  if (!button) return;
  button.hidden = false;
  const words = button.querySelector("[data-label]");
  const label = words.textContent;
  let focused = null;
  body.addEventListener("focusin", (event) => (focused = event.target.closest("a[data-start]")));
  player.media.addEventListener("timeupdate", () => (focused = null));
  button.addEventListener("click", async () => {
    const seconds = focused ? Number(focused.dataset.start) / 1000 : player.currentTime;
    const link = `${player.getAttribute("share")}#t=${Math.floor(seconds)}`;
    try {
      await navigator.clipboard.writeText(link);
      words.textContent = button.dataset.copied;
    } catch {
      words.textContent = link;
    }
    setTimeout(() => (words.textContent = label), KEEP_STILL_MS);
  });
}

/** The last cue that begins at or before `time`, by bisection; cues are sorted. */
function lastStartedBefore(cues, time) {
  let low = 0;
  let high = cues.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cues[middle].start <= time + 0.05) low = middle + 1;
    else high = middle;
  }
  return cues[low - 1];
}

/** Scroll the panel alone, never the page. */
function keepInView(body, link) {
  const top = link.offsetTop - body.clientHeight / 3;
  body.scrollTo({ top, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}
