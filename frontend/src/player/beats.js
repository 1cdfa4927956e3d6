// Tells the server how much is played. See the player's "What is counted": no cookie, no address, nobody else.

const EVERY_MS = 30_000;
const SLOT_S = 10; // as library/viewings.py counts

/** @param where a function that returns the address to send to; it changes with the grant. */
export function sendBeats(media, { where, captions, source }) {
  const viewing = crypto.randomUUID?.() ?? randomId();
  const slots = new Set();
  let watchedMs = 0;
  let playingSince = 0;
  let wishedAt = 0;
  let startupMs = null;
  let stalls = 0;
  let hasNews = false;

  const count = () => {
    if (!playingSince) return;
    const now = performance.now();
    watchedMs += now - playingSince;
    playingSince = now;
    slots.add(Math.floor(media.currentTime / SLOT_S));
    hasNews = true;
  };

  media.addEventListener("play", () => {
    if (startupMs === null) wishedAt = performance.now();
  });
  media.addEventListener("playing", () => {
    if (startupMs === null && wishedAt) {
      startupMs = performance.now() - wishedAt;
      media.dispatchEvent(new CustomEvent("rostrum-started", { detail: startupMs }));
    }
    playingSince = performance.now();
  });
  media.addEventListener("timeupdate", count);
  media.addEventListener("waiting", () => {
    // Waiting after a jump is no fault of the line.
    if (playingSince && !media.seeking) stalls += 1;
    count();
    playingSince = 0;
  });
  for (const type of ["pause", "ended"]) {
    media.addEventListener(type, () => {
      count();
      playingSince = 0;
      send();
    });
  }

  const send = () => {
    if (!hasNews) return;
    hasNews = false;
    const sound = source.sounds[source.sound];
    const beat = {
      viewing,
      watched_ms: Math.round(watchedMs),
      seen: ranges(slots),
      startup_ms: startupMs === null ? null : Math.round(startupMs),
      stalls,
      captions: captions.language === "off" ? "" : captions.language,
      audio: sound?.language ?? "",
    };
    // Text needs no permission asked first, and a beacon outlives the page.
    navigator.sendBeacon?.(where(), new Blob([JSON.stringify(beat)], { type: "text/plain" }));
  };

  setInterval(send, EVERY_MS);
  addEventListener("pagehide", () => {
    count();
    send();
  });
  document.addEventListener("visibilitychange", () => document.hidden && send());
}

/** [0, 1, 2, 5] as [[0, 2], [5, 5]]. */
export function ranges(slots) {
  const found = [];
  for (const slot of [...slots].sort((a, b) => a - b)) {
    const last = found.at(-1);
    if (last && slot === last[1] + 1) last[1] = slot;
    else found.push([slot, slot]);
  }
  return found;
}

/** crypto.randomUUID is missing on pages without TLS and in older browsers. */
function randomId() {
  const bytes = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0"));
  return bytes.join("").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
