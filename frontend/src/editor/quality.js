// Remarks about cues while they are written: the rules of transcripts/quality.py with the numbers that the server gives.

const TAG = /<[^<>]*>/g;
const UNSEEN = /[\p{Mn}\p{Me}\p{Cf}]/gu;
// East Asian Wide and Fullwidth (UAX 11), by the blocks that subtitles use.
const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/gu;
const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&nbsp;": " ", "&lrm;": "", "&rlm;": "" };
const ERRORS = new Set(["overlapping", "far_too_fast", "after_end", "no_text", "wrong_times", "wrong_script"]);

export function plain(text) {
  return text.replace(TAG, "").replace(/&(?:lt|gt|amp|nbsp|lrm|rlm);/g, (name) => ENTITIES[name]);
}

/** How many characters a text counts for; marks over letters and invisible ones take no place. */
export function width(text, rules) {
  const seen = text.replace(UNSEEN, "");
  const count = [...seen].length;
  if (!rules.isFullWidth) return count;
  const wide = seen.match(WIDE)?.length ?? 0;
  return wide + (count - wide) / 2;
}

/** Figures that are shown for a cue whatever they are. */
export function figures(cue, rules) {
  const text = plain(cue.text);
  const shown = Math.max(1, cue.end_ms - cue.start_ms);
  return {
    speed: Math.round((width(text.replaceAll("\n", " "), rules) * 1000) / shown),
    seconds: (shown / 1000).toFixed(1),
    line: Math.round(Math.max(...text.split("\n").map((line) => width(line, rules)))),
  };
}

/** What is or may be wrong with one cue: [{code, isError, facts}].
 *
 * `latestEnd` is when the last of the cues before it ends, or null. */
export function remarks(cue, latestEnd, rules, durationMs, isStale = false) {
  const found = [];
  const note = (code, facts = {}) => found.push({ code, isError: ERRORS.has(code), facts });
  const text = plain(cue.text);
  const lines = text.split("\n");
  const shown = cue.end_ms - cue.start_ms;
  if (!text.trim()) note("no_text");
  if (shown <= 0) note("wrong_times");
  if (lines.length > rules.maxLines) note("too_many_lines", { count: lines.length, limit: rules.maxLines });
  const longest = Math.max(...lines.map((line) => width(line, rules)));
  if (longest > rules.lineChars) note("line_too_long", { count: Math.round(longest), limit: rules.lineChars });
  if (latestEnd !== null && cue.start_ms < latestEnd) note("overlapping");
  else if (latestEnd !== null && cue.start_ms - latestEnd < rules.gapMs) {
    note("too_close", { milliseconds: cue.start_ms - latestEnd });
  }
  if (shown > 0) {
    const wide = width(text.replaceAll("\n", " "), rules);
    const speed = (wide * 1000) / shown;
    const needed = Math.max(rules.minMs, Math.ceil((wide * 1000) / rules.charsPerSecond));
    if (speed > rules.charsPerSecond * rules.tolerance && needed > shown) {
      const code = speed > 2 * rules.charsPerSecond ? "far_too_fast" : "too_fast";
      note(code, { speed: Math.round(speed), limit: rules.charsPerSecond });
    }
    if (shown < rules.minMs / rules.tolerance) note("too_short", { seconds: (shown / 1000).toFixed(1) });
    if (shown > rules.maxMs) note("too_long", { seconds: (shown / 1000).toFixed(1) });
  }
  if (durationMs && cue.start_ms >= durationMs) note("after_end");
  const doubts = new Set(cue.doubts ?? []);
  if (cue.confidence !== null && cue.confidence < rules.lowConfidence) doubts.add("low_confidence");
  for (const doubt of doubts) note(doubt);
  if (isStale) note("stale");
  return found;
}

/** Remarks about all cues, remembered per cue: after a change only what it touches is looked at anew. */
export class Reviewer {
  #rules;
  #durationMs;
  #known = new WeakMap();
  stale = new Set();

  constructor(rules, durationMs) {
    this.#rules = rules;
    this.#durationMs = durationMs;
  }

  /** An array as long as the cues. */
  of(cues) {
    let latest = null;
    return cues.map((cue) => {
      const found = this.#one(cue, latest);
      latest = latest === null ? cue.end_ms : Math.max(latest, cue.end_ms);
      return found;
    });
  }

  #one(cue, latest) {
    const known = this.#known.get(cue);
    if (known && known.latest === latest) return known.found;
    const found = remarks(cue, latest, this.#rules, this.#durationMs, this.stale.has(cue.id));
    this.#known.set(cue, { latest, found });
    return found;
  }
}
