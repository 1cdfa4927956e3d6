// Where this viewer stopped, kept in this browser only.

const EVERY_MS = 5000;
const WORTH_KEEPING_S = 10;

/** Resume where the viewer stopped, and note where they are. `#t=12.3` in the address goes first. */
export function rememberPosition(media, id) {
  const key = `rostrum.position.${id}`;
  const asked = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
  const start = asked ? Number(asked[1]) : Number(read(key) ?? 0);
  if (start > 0) {
    const seek = () => (media.currentTime = start);
    if (media.readyState >= 1) seek();
    else media.addEventListener("loadedmetadata", seek, { once: true });
  }
  let noted = 0;
  const note = () => {
    noted = Date.now();
    const isOver = media.duration && media.currentTime > media.duration - WORTH_KEEPING_S;
    if (media.currentTime < WORTH_KEEPING_S || isOver) write(key, null);
    else write(key, media.currentTime.toFixed(1));
  };
  media.addEventListener("timeupdate", () => {
    if (!media.paused && Date.now() - noted > EVERY_MS) note();
  });
  media.addEventListener("pause", note);
  addEventListener("pagehide", note);
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
    // Private windows and full stores: the viewer loses a convenience, nothing else.
  }
}
