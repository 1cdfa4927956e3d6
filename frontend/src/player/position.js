// Where this viewer stopped, and what they chose: kept in this browser only.

const EVERY_MS = 5000;
const WORTH_KEEPING_S = 10;

/** The moment that the address asks for in seconds, or null: `#t=12.3`, `?t=90`, `?t=1h2m3s`. */
export function askedMoment(address = location) {
  const written = new URLSearchParams(address.hash.slice(1)).get("t") ?? new URLSearchParams(address.search).get("t");
  const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?$/.exec(written ?? "-");
  if (!written || !parts) return null;
  const [hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0));
  return hours * 3600 + minutes * 60 + seconds;
}

/** Where the viewer stopped in the recording of that id, in seconds; 0 if nowhere. */
export function rememberedMoment(id) {
  return Number(read(key(id)) ?? 0) || 0;
}

/** Note from now on where the viewer is. */
export function rememberPosition(media, id) {
  let noted = 0;
  const note = () => {
    noted = Date.now();
    if (!media.duration) return;
    const isOver = media.currentTime > media.duration - WORTH_KEEPING_S;
    if (media.currentTime < WORTH_KEEPING_S || isOver) write(key(id), null);
    else write(key(id), media.currentTime.toFixed(1));
  };
  media.addEventListener("timeupdate", () => {
    if (!media.paused && Date.now() - noted > EVERY_MS) note();
  });
  media.addEventListener("pause", note);
  addEventListener("pagehide", note);
}

function key(id) {
  return `rostrum.position.${id}`;
}

/** localStorage, or nothing where the browser forbids it. */
export function read(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function write(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Private windows, full stores and frames of other sites: the viewer loses a convenience, nothing else.
  }
}
