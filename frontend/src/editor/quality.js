// Remarks about cues while they are written: the rules of transcripts/quality.py with the numbers that the server gives.

const TAG = /<[^<>]*>/g;
const UNSEEN = /[\p{Mn}\p{Me}\p{Cf}]/gu;
// East Asian Wide and Fullwidth (UAX 11), by the blocks that subtitles use.
const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/gu;
const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&nbsp;": " ", "&lrm;": "", "&rlm;": "" };
const WHOLE_LANGUAGE = /^<lang(?:\.\S*)? ([A-Za-z-]+)>([^]*)<\/lang>$/;
const LETTER = /\p{L}/u;
// ISO 15924 codes of the server's table, where they are not Unicode's own.
const SCRIPTS = { Kore: ["Hang"], Jpan: ["Hira", "Kana"] };
const LEAST_SHARE = 0.2; // of letters that must be of the language's
const GAP_MS = 2000; // speech without a cue that is shorter is a cough
const LONG_GAP_MS = 10_000;
const UNTRANSLATED_CHARS = 12; // names and numbers are the same in many languages
const ERRORS = new Set(["overlapping", "far_too_fast", "after_end", "no_text", "wrong_times", "wrong_script", "long_gap", "missing"]);

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

/** The language of a cue that is marked as a whole to be in another one than its track; else "". */
export function languageOf(text) {
  const [, tag, inner] = WHOLE_LANGUAGE.exec(text) ?? [];
  return tag && !inner.includes("<lang") ? tag : "";
}

/** False if hardly a letter is of a script that the language is written in. */
function isWrittenIn(text, scripts) {
  const letters = [...text].filter((letter) => LETTER.test(letter));
  const own = letters.filter((letter) => scripts.test(letter)).length;
  return own >= LEAST_SHARE * letters.length;
}

function scriptsPattern(codes) {
  const names = codes.flatMap((code) => SCRIPTS[code] ?? [code]);
  return new RegExp(names.map((name) => `\\p{Script=${name}}`).join("|"), "u");
}

/** Sorted intervals [start, end] that do not touch. */
export function merged(intervals) {
  const done = [];
  for (const [start, end] of [...intervals].sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = done.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else if (end > start) done.push([start, end]);
  }
  return done;
}

/** Speech that no cue covers, where it is longer than a cough. `speech` is merged. */
export function gaps(cues, speech) {
  const covered = merged(cues.map((cue) => [cue.start_ms, cue.end_ms]));
  const found = [];
  let at = 0;
  for (const [start, end] of speech) {
    while (at < covered.length && covered[at][1] <= start) at += 1;
    let from = start;
    for (let index = at; index < covered.length && covered[index][0] < end; index += 1) {
      found.push([from, covered[index][0]]);
      from = Math.max(from, covered[index][1]);
    }
    found.push([from, end]);
  }
  return found.filter(([start, end]) => end - start >= GAP_MS);
}

/** What is said in the original while nothing of it is translated: its cues. `source` has {id, start_ms, end_ms}. */
export function missing(cues, source) {
  const named = new Set(cues.flatMap((cue) => cue.source_ids ?? []));
  const shown = merged(cues.map((cue) => [cue.start_ms, cue.end_ms]));
  let at = 0;
  return source.filter((one) => {
    while (at < shown.length && shown[at][1] <= one.start_ms) at += 1;
    return !named.has(one.id) && !(at < shown.length && shown[at][0] < one.end_ms);
  });
}

const words = (text) => plain(text).toLowerCase().split(/\s+/u).filter(Boolean).join(" ");

/** What is or may be wrong with one cue: [{code, isError, facts}].
 *
 * `latestEnd` is when the last of the cues before it ends, or null. */
export function remarks(cue, latestEnd, rules, durationMs, { isStale = false, scripts = null, sourceWords = null } = {}) {
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
  doubts.delete("wrong_script"); // seen in the text as it is now
  const other = languageOf(cue.text);
  if (other) note("other_language", { language: other });
  else if (scripts && !isWrittenIn(text, scripts)) doubts.add("wrong_script");
  if (sourceWords && !other) {
    const said = (cue.source_ids ?? []).map((id) => sourceWords.get(id)).filter(Boolean).join(" ");
    const own = words(cue.text);
    if ([...own].length >= UNTRANSLATED_CHARS && own === said) note("untranslated");
  }
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
  #scripts;
  #speech;
  #source;
  #sourceWords;
  stale = new Set();

  /** speech: [[start, end], ...] when somebody speaks, or null; source: the original's cues, or null. */
  constructor(rules, durationMs, { speech = null, source = null } = {}) {
    this.#rules = rules;
    this.#durationMs = durationMs;
    this.#scripts = rules.scripts ? scriptsPattern(rules.scripts) : null;
    this.#speech = merged(speech ?? []);
    this.#source = source ?? [];
    this.#sourceWords = source && new Map(source.map((cue) => [cue.id, words(cue.text)]));
  }

  /** An array as long as the cues. What is wrong between two cues is said of the one before. */
  of(cues) {
    let latest = null;
    const found = cues.map((cue) => {
      const one = this.#one(cue, latest);
      latest = latest === null ? cue.end_ms : Math.max(latest, cue.end_ms);
      return one;
    });
    if (!cues.length) return found;
    const between = [
      ...gaps(cues, this.#speech).map(([start, end]) => {
        const code = end - start >= LONG_GAP_MS ? "long_gap" : "gap";
        return { code, isError: ERRORS.has(code), facts: { start_ms: start, seconds: ((end - start) / 1000).toFixed(1) } };
      }),
      ...missing(cues, this.#source).map((one) => ({ code: "missing", isError: true, facts: { start_ms: one.start_ms } })),
    ];
    for (const remark of between) {
      const at = Math.max(0, placeOf(cues, remark.facts.start_ms));
      found[at] = [...found[at], remark]; // not the remembered array
    }
    return found;
  }

  #one(cue, latest) {
    const known = this.#known.get(cue);
    if (known && known.latest === latest) return known.found;
    const found = remarks(cue, latest, this.#rules, this.#durationMs, {
      isStale: this.stale.has(cue.id),
      scripts: this.#scripts,
      sourceWords: this.#sourceWords,
    });
    this.#known.set(cue, { latest, found });
    return found;
  }
}

/** The index of the last cue that begins at or before a moment; -1 if none does. */
function placeOf(cues, ms) {
  let [low, high] = [0, cues.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cues[middle].start_ms <= ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
