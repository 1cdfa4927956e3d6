const LONGEST_MS = 60_000;

/** How long to wait before the next try: longer each time, and not the same for everybody. */
export const backoff = (failures) =>
  Math.min(LONGEST_MS, 1_000 * 2 ** Math.min(failures - 1, 10)) * (0.75 + Math.random() / 2);

/** Wait; shorter when the browser comes online again, and not at all once stopped. */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const end = (action) => () => {
      clearTimeout(timer);
      window.removeEventListener("online", onOnline);
      signal.removeEventListener("abort", onAbort);
      action();
    };
    const onOnline = end(resolve);
    const onAbort = end(() => reject(signal.reason));
    const timer = setTimeout(end(resolve), milliseconds);
    window.addEventListener("online", onOnline);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
  });
}
