// Saving as one goes: only what changed since the last save, a little after the last key, again after a lost connection.
import { fromRow, same } from "./cues.js";
import { threeWays } from "./merging.js";
import { plain } from "./quality.js";

const WAIT_MS = 2000;
const MOST_WAIT_MS = 15_000; // somebody who never pauses is saved all the same
const RETRY_MS = [2000, 5000, 10_000, 30_000];

/** Dispatches "state" ({state, reason}), "conflict" ({conflicts}) and "merged". */
export class Saver extends EventTarget {
  state = "saved";
  #store;
  #url;
  #token;
  #savesItself;
  #session = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(36)).join("").slice(0, 24);
  #base = new Map();
  #revision = 0;
  #timer = 0;
  #changedAt = 0;
  #failures = 0;
  #isSaving = false;
  #conflict = null;

  constructor(store, { url, token, savesItself }) {
    super();
    this.#store = store;
    this.#url = url;
    this.#token = token;
    this.#savesItself = savesItself;
    store.addEventListener("change", (event) => {
      if (!event.detail.isReset && !event.detail.isAdopted) this.#noteChange();
    });
    addEventListener("online", () => this.isDirty && this.save());
    addEventListener("beforeunload", (event) => {
      if (this.isDirty) event.preventDefault();
    });
  }

  /** The cues as the server has them. */
  begin(revision, cues) {
    this.#revision = revision;
    this.#base = new Map(cues.map((cue) => [cue.id, cue]));
  }

  /** What differs from the server's state; unfinished cues (no text, no length) wait until they are complete. */
  changes() {
    const changed = [];
    let unfinished = 0;
    const present = new Set();
    for (const cue of this.#store.cues) {
      present.add(cue.id);
      if (same(cue, this.#base.get(cue.id))) continue;
      if (!plain(cue.text).trim() || cue.end_ms <= cue.start_ms) unfinished += 1;
      else changed.push(cue);
    }
    return { changed, removed: [...this.#base.keys()].filter((id) => !present.has(id)), unfinished };
  }

  get isDirty() {
    const { changed, removed, unfinished } = this.changes();
    return changed.length + removed.length + unfinished > 0;
  }

  #noteChange() {
    if (this.#conflict) return;
    if (!this.isDirty) return this.#show("saved");
    if (!this.#isSaving) this.#show(this.state === "offline" ? "offline" : "changed");
    this.#changedAt ||= Date.now();
    if (this.#savesItself && this.state !== "offline") {
      this.#schedule(Math.min(WAIT_MS, Math.max(0, this.#changedAt + MOST_WAIT_MS - Date.now())));
    }
  }

  #schedule(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.save(), ms);
  }

  #show(state, reason = "") {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, reason } }));
  }

  async save() {
    clearTimeout(this.#timer);
    if (this.#isSaving || this.#conflict) return;
    const { changed, removed, unfinished } = this.changes();
    if (!changed.length && !removed.length) return this.#show(unfinished ? "changed" : "saved");
    this.#isSaving = true;
    this.#changedAt = 0;
    this.#show("saving");
    try {
      await this.#send(changed, removed);
    } finally {
      this.#isSaving = false;
    }
    if (this.state === "saving") {
      const isMore = this.isDirty;
      this.#show(isMore ? "changed" : "saved");
      if (isMore && this.#savesItself && this.changes().changed.length) this.#schedule(WAIT_MS);
    }
  }

  async #send(changed, removed) {
    const rows = changed.map(({ id, start_ms, end_ms, text, speaker, source_ids }) => {
      return { id, start_ms, end_ms, text, speaker, source_ids: source_ids ?? [] };
    });
    let answer;
    try {
      answer = await fetch(this.#url, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": this.#token, Accept: "application/json" },
        body: JSON.stringify({ revision: this.#revision, session: this.#session, changed: rows, removed }),
      });
    } catch {
      return this.#tryAgain();
    }
    if (answer.status >= 500) return this.#tryAgain();
    const body = answer.headers.get("content-type")?.includes("json") ? await answer.json().catch(() => null) : null;
    if (!body) return this.#show("signedOut"); // a page to sign in, or one that says that the link has ended
    if (answer.status === 409 && "theirs" in body) return this.#meet(body);
    if (!answer.ok) return this.#show("failed", body.title ?? "");
    this.#failures = 0;
    this.#take(body, changed, removed);
  }

  #tryAgain() {
    this.#show("offline");
    this.#schedule(RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)]);
    this.#failures += 1;
  }

  /** Take over what the server made of the cues; what was written meanwhile stays, and is saved next. */
  #take(body, sent, removed) {
    this.#revision = body.revision;
    const stored = new Map(body.cues.map((row) => [row.id, fromRow(row)]));
    for (const id of removed) this.#base.delete(id);
    for (const cue of sent) {
      // The server gives a new id only where two cues had the same.
      const row = stored.get(cue.id);
      if (row) this.#base.set(cue.id, row);
      else this.#base.set(cue.id, cue);
    }
    const before = new Map(sent.map((cue) => [cue.id, cue]));
    this.#store.adopt(
      this.#store.cues.map((cue) => (before.get(cue.id) === cue && stored.has(cue.id) ? stored.get(cue.id) : cue)),
    );
  }

  #meet(body) {
    const theirs = body.theirs.map(fromRow);
    const { cues, conflicts } = threeWays([...this.#base.values()], this.#store.cues, theirs);
    this.#conflict = { revision: body.current_revision, theirs, cues };
    this.#show("conflict");
    if (!conflicts.length) this.settle([]);
    else this.dispatchEvent(new CustomEvent("conflict", { detail: { conflicts } }));
  }

  /** End a conflict with the cues that were chosen where both changed something. */
  settle(chosen) {
    const { revision, theirs, cues } = this.#conflict;
    this.#conflict = null;
    this.begin(revision, theirs);
    this.#store.reset([...cues, ...chosen].sort((a, b) => a.start_ms - b.start_ms || a.end_ms - b.end_ms));
    this.dispatchEvent(new Event("merged"));
    this.#show(this.isDirty ? "changed" : "saved");
    if (this.isDirty && this.#savesItself) this.#schedule(0);
  }
}
