// Two people changed the same track: what each of them changed since both began, put together cue by cue. Pure.
import { same } from "./cues.js";

/** Three states of the same cues -> { cues, conflicts: [{id, base, mine, theirs}] }.
 *
 * What only one side changed is taken over; where both did, and differently, the cue is in `conflicts` and not in
 * `cues`. A missing cue is a deleted one (null). */
export function threeWays(base, mine, theirs) {
  const [was, ours, others] = [base, mine, theirs].map((cues) => new Map(cues.map((cue) => [cue.id, cue])));
  const cues = [];
  const conflicts = [];
  for (const id of new Set([...was.keys(), ...others.keys(), ...ours.keys()])) {
    const [b, m, t] = [was.get(id) ?? null, ours.get(id) ?? null, others.get(id) ?? null];
    if (same(m, t) || same(m, b)) {
      if (t) cues.push(t);
    } else if (same(t, b)) {
      if (m) cues.push(m);
    } else conflicts.push({ id, base: b, mine: m, theirs: t });
  }
  return { cues: byTime(cues), conflicts };
}

export function byTime(cues) {
  return [...cues].sort((a, b) => a.start_ms - b.start_ms || a.end_ms - b.end_ms);
}
