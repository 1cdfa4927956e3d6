// The cues on the page with undo and redo. Knows nothing of the page itself.

const MOST_STEPS = 500;
const PAUSE_MS = 1500; // typing in one field without such a pause is one step

/** Dispatches "change" after every change of the cues, and "select" when another one is selected. */
export class Store extends EventTarget {
  cues = [];
  selectedId = null;
  #past = [];
  #future = [];
  #group = "";
  #groupAt = 0;

  /** Begin anew with what the server has; nothing of before can be undone. */
  reset(cues, selectedId = this.selectedId) {
    this.cues = cues;
    this.#past = [];
    this.#future = [];
    this.#group = "";
    this.select(cues.some((cue) => cue.id === selectedId) ? selectedId : (cues[0]?.id ?? null));
    this.dispatchEvent(new CustomEvent("change", { detail: { isReset: true } }));
  }

  /** Take over new cues. Changes of one `group` (such as typing in one field) that follow closely are undone at once. */
  apply(cues, { selectedId = this.selectedId, group = "" } = {}) {
    if (cues === this.cues) return;
    const now = Date.now();
    const continues = group && group === this.#group && now - this.#groupAt < PAUSE_MS;
    if (!continues) {
      this.#past.push({ cues: this.cues, selectedId: this.selectedId });
      if (this.#past.length > MOST_STEPS) this.#past.shift();
    }
    this.#group = group;
    this.#groupAt = now;
    this.#future = [];
    this.cues = cues;
    this.select(selectedId);
    this.dispatchEvent(new CustomEvent("change", { detail: {} }));
  }

  /** Put in what the server made of saved cues, without a step of its own. */
  adopt(cues) {
    this.cues = cues;
    this.dispatchEvent(new CustomEvent("change", { detail: { isAdopted: true } }));
  }

  select(id) {
    if (id === this.selectedId) return;
    this.selectedId = id;
    this.#group = "";
    this.dispatchEvent(new Event("select"));
  }

  get selected() {
    return this.cues.find((cue) => cue.id === this.selectedId) ?? null;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  undo() {
    this.#step(this.#past, this.#future);
  }

  redo() {
    this.#step(this.#future, this.#past);
  }

  #step(from, to) {
    const step = from.pop();
    if (!step) return;
    to.push({ cues: this.cues, selectedId: this.selectedId });
    this.#group = "";
    this.cues = step.cues;
    this.select(step.selectedId);
    this.dispatchEvent(new CustomEvent("change", { detail: { isUndo: true } }));
  }
}
