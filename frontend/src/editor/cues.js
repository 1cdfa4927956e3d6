// What can be done to cues. Pure: each function takes the list and returns a new one; cues themselves never change.

const MAX_MS = 100 * 3600 * 1000 - 1;

/** A cue as the editor keeps it. Ampersands are shown as such; the server writes them as WebVTT wants them. */
export function fromRow(row) {
  return { ...row, text: row.text.replace(/&amp;(?![a-z]+;|#)/g, "&") };
}

export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function indexOf(cues, id) {
  return cues.findIndex((cue) => cue.id === id);
}

function blank(start_ms, end_ms, text = "", more = {}) {
  return { id: newId(), start_ms, end_ms, text, speaker: "", confidence: null, source_ids: [], doubts: [], ...more };
}

function sorted(cues) {
  for (let at = 1; at < cues.length; at += 1) {
    if (before(cues[at], cues[at - 1])) return [...cues].sort((a, b) => (before(a, b) ? -1 : before(b, a) ? 1 : 0));
  }
  return cues;
}

function before(one, other) {
  return one.start_ms < other.start_ms || (one.start_ms === other.start_ms && one.end_ms < other.end_ms);
}

/** Change fields of one cue. */
export function change(cues, id, fields) {
  const at = indexOf(cues, id);
  if (at < 0) return cues;
  const cue = { ...cues[at], ...fields };
  cue.start_ms = clamp(cue.start_ms);
  cue.end_ms = clamp(cue.end_ms);
  return sorted(cues.with ? cues.with(at, cue) : [...cues.slice(0, at), cue, ...cues.slice(at + 1)]);
}

function clamp(ms) {
  return Math.min(MAX_MS, Math.max(0, Math.round(ms)));
}

/** Divide a cue at a place in its text; its time is divided as its letters are. Returns [cues, id of the second]. */
export function split(cues, id, caret, gapMs) {
  const at = indexOf(cues, id);
  const cue = cues[at];
  const [first, second] = [cue?.text.slice(0, caret).trim(), cue?.text.slice(caret).trim()];
  if (!first || !second) return [cues, id];
  const share = first.length / (first.length + second.length);
  const middle = Math.round(cue.start_ms + (cue.end_ms - cue.start_ms) * share);
  // No gap where there is hardly time for the words.
  const gap = cue.end_ms - cue.start_ms > 10 * gapMs ? gapMs : 0;
  const next = blank(middle + gap, cue.end_ms, second, { speaker: cue.speaker, source_ids: cue.source_ids });
  return [[...cues.slice(0, at), { ...cue, end_ms: middle, text: first }, next, ...cues.slice(at + 1)], next.id];
}

/** Join a cue with the one after it. */
export function merge(cues, id) {
  const at = indexOf(cues, id);
  const [cue, next] = [cues[at], cues[at + 1]];
  if (!cue || !next) return cues;
  const joined = {
    ...cue,
    end_ms: Math.max(cue.end_ms, next.end_ms),
    text: `${cue.text}\n${next.text}`.trim(),
    speaker: cue.speaker || next.speaker,
    source_ids: [...new Set([...(cue.source_ids ?? []), ...(next.source_ids ?? [])])],
  };
  return [...cues.slice(0, at), joined, ...cues.slice(at + 2)];
}

/** An empty cue after another one (at the start if there is none), 2 s long or as long as there is room. */
export function insert(cues, id, atMs, gapMs) {
  const at = indexOf(cues, id);
  const start = at < 0 ? clamp(atMs ?? 0) : cues[at].end_ms + gapMs;
  const next = cues[at + 1];
  const room = next && next.start_ms - gapMs > start + 300 ? next.start_ms - gapMs : start + 2000;
  const made = blank(start, Math.min(start + 2000, room));
  return [sorted([...cues.slice(0, at + 1), made, ...cues.slice(at + 1)]), made.id];
}

/** Delete a cue. Returns [cues, id of the one that is selected then]. */
export function remove(cues, id) {
  const at = indexOf(cues, id);
  if (at < 0) return [cues, id];
  const rest = [...cues.slice(0, at), ...cues.slice(at + 1)];
  return [rest, (rest[at] ?? rest[at - 1])?.id ?? null];
}

/** Move cues in time by some milliseconds: "one", "following" (with it) or "all". Nothing begins before 0. */
export function shift(cues, id, byMs, which) {
  const from = which === "all" ? 0 : indexOf(cues, id);
  const to = which === "one" ? from + 1 : cues.length;
  if (from < 0) return cues;
  const by = Math.max(byMs, -(cues[from]?.start_ms ?? 0));
  return sorted(
    cues.map((cue, at) =>
      at < from || at >= to ? cue : { ...cue, start_ms: clamp(cue.start_ms + by), end_ms: clamp(cue.end_ms + by) },
    ),
  );
}

/** A pattern for what is looked for; null for an empty one. Letters that look alike in other scripts are not joined. */
export function patternOf(text, { matchCase = false, wholeWords = false } = {}) {
  if (!text) return null;
  const escaped = text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  // \b knows Latin letters only.
  const source = wholeWords ? `(?<![\\p{L}\\p{M}\\p{N}])${escaped}(?![\\p{L}\\p{M}\\p{N}])` : escaped;
  return new RegExp(source, matchCase ? "gu" : "giu");
}

export function countMatches(cues, pattern) {
  return cues.reduce((sum, cue) => sum + (cue.text.match(pattern)?.length ?? 0), 0);
}

/** Replace in one cue or in all. Returns [cues, how many]. */
export function replace(cues, pattern, text, id = null) {
  let count = 0;
  const done = cues.map((cue) => {
    if (id !== null && cue.id !== id) return cue;
    const changed = cue.text.replace(pattern, () => ((count += 1), text));
    return changed === cue.text ? cue : { ...cue, text: changed };
  });
  return [count ? done : cues, count];
}

/** The cue that is shown at a moment, else the last one before it. */
export function at(cues, ms) {
  let low = 0;
  let high = cues.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cues[middle].start_ms <= ms) low = middle + 1;
    else high = middle;
  }
  return cues[low - 1] ?? null;
}

/** The names that are used, the commonest first. */
export function speakers(cues) {
  const counts = new Map();
  for (const { speaker } of cues) if (speaker) counts.set(speaker, (counts.get(speaker) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name);
}

const FIELDS = ["start_ms", "end_ms", "text", "speaker"];

/** Whether two states of a cue say the same; null is a deleted one. */
export function same(one, other) {
  if (!one || !other) return !one === !other;
  return FIELDS.every((name) => one[name] === other[name]);
}
