// The transcript beside the player: click a cue to go there; the current one is marked and kept in view.

const KEEP_STILL_MS = 4000; // after the reader scrolled by hand

export function connectTranscript(panel, player) {
  const body = panel.querySelector("[data-transcript-body]");
  const select = panel.querySelector("[data-transcript-language]");
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
    if (Date.now() - readerMovedAt > KEEP_STILL_MS) keepInView(body, current.link);
  };

  body.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-start]");
    if (!link) return;
    event.preventDefault();
    history.replaceState(null, "", link.hash);
    player.seek(Number(link.dataset.start) / 1000);
  });
  for (const type of ["wheel", "touchmove", "keydown"]) {
    body.addEventListener(type, () => (readerMovedAt = Date.now()), { passive: true });
  }
  select?.addEventListener("change", async () => {
    const answer = await fetch(select.dataset.address.replace(/0\/$/, `${encodeURIComponent(select.value)}/`));
    if (!answer.ok) return;
    body.innerHTML = await answer.text(); // our own template, escaped by the server
    readCues();
  });
  player.media.addEventListener("timeupdate", follow);
  player.media.addEventListener("seeked", follow);
  readCues();
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
