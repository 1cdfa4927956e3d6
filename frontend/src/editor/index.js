// The subtitle editor: list, tools, keys, sound and saving put together. The page's own facts come as JSON.
import { at, fromRow, indexOf, insert, merge, remove, speakers, split, change } from "./cues.js";
import { showConflicts, showFind, showKeys, showShift } from "./dialogs.js";
import { h } from "./dom.js";
import { actionOf, keyOf } from "./keys.js";
import { List } from "./list.js";
import { plain, Reviewer } from "./quality.js";
import { Saver } from "./save.js";
import { Store } from "./state.js";
import { fetchPeaks, Waveform } from "./waveform.js";
import { fill } from "../player/labels.js";

const TOOLS = [
  ["play", "playCue", "loop", "setIn", "setOut"],
  ["split", "merge", "insert", "remove", "shift", "find"],
  ["undo", "redo", "nextProblem", "help"],
];
const CHANGING = new Set(["setIn", "setOut", "split", "merge", "insert", "remove", "shift", "undo", "redo", "save"]);
const JUMP_S = 2;

const root = document.querySelector("[data-editor]");
if (root) start(root);

async function start(root) {
  const config = JSON.parse(root.querySelector(':scope > script[type="application/json"]').textContent);
  const player = root.querySelector("rostrum-player");
  const answer = await fetch(config.dataUrl).catch(() => null);
  if (!answer?.ok) return root.querySelector("[data-work]").append(h("p", { class: "alert alert-error" }, config.labels.states.offline));
  new Editor(root, config, player?.media ? player : null, await answer.json());
}

class Editor {
  #labels;
  #config;
  #player;
  #store = new Store();
  #reviewer;
  #list;
  #saver;
  #wave = null;
  #remarks = [];
  #limit = null; // {start, end, isLoop} in milliseconds while one cue is played
  #buttons = new Map();
  #status = h("p", { class: "editor-status", role: "status" });
  #summary = h("p", { class: "editor-summary" });
  #caption = h("div", { class: "editor-caption", dir: "auto" });
  #names = h("datalist", { id: "editor-speakers" });
  #empty;
  #conflicts = null;

  constructor(root, config, player, data) {
    this.#labels = config.labels;
    this.#config = config;
    this.#player = player;
    this.#reviewer = new Reviewer(config.rules, config.durationMs, {
      speech: data.speech,
      source: data.source?.cues,
    });
    this.#reviewer.stale = new Set(data.stale ?? []);
    this.#list = new List(this.#store, {
      labels: config.labels,
      language: config.language,
      rules: config.rules,
      mayEdit: config.mayEdit,
      maxChars: config.maxChars,
      play: (cue) => this.#playCue(cue),
      source: data.source ? sourceOf(data.source.cues) : null,
      sourceLanguage: data.source?.language,
    });
    this.#list.element.classList.toggle("has-source", Boolean(data.source));
    this.#saver = new Saver(this.#store, {
      url: config.saveUrl,
      token: root.querySelector("[name=csrfmiddlewaretoken]").value,
      savesItself: config.savesItself && config.mayEdit,
    });
    this.#build(root);
    this.#connect();
    const cues = data.cues.map(fromRow);
    this.#saver.begin(data.revision, cues);
    this.#store.reset(cues);
    this.#list.draw();
    this.#showState("saved");
    this.#showWave(root.querySelector("[data-wave]"));
  }

  #build(root) {
    const { actions, buttons } = this.#labels;
    const button = (action) => {
      const made = h(
        "button",
        {
          type: "button",
          class: "btn btn-sm btn-outline-primary",
          title: `${actions[action]} (${keyOf(action)})`,
          onclick: () => this.#run(action),
          // The list's cursor stays where it is, so that "split" knows the place.
          onpointerdown: (event) => event.preventDefault(),
          disabled: CHANGING.has(action) && !this.#config.mayEdit,
        },
        buttons[action] ?? actions[action],
      );
      this.#buttons.set(action, made);
      return made;
    };
    const groups = TOOLS.map((names) => h("div", { class: "editor-tools", role: "group" }, ...names.map(button)));
    const save = h("div", { class: "editor-save" }, this.#config.mayEdit ? button("save") : null, this.#status);
    this.#empty = h("p", { class: "editor-empty", hidden: true }, this.#labels.empty);
    if (this.#player) this.#player.after(this.#caption);
    root
      .querySelector("[data-work]")
      .append(h("div", { class: "editor-bar" }, ...groups, save), this.#summary, this.#empty, this.#list.element, this.#names);
  }

  #connect() {
    const store = this.#store;
    store.addEventListener("change", (event) => this.#afterChange(event.detail));
    store.addEventListener("select", () => this.#wave?.draw());
    this.#saver.addEventListener("state", ({ detail }) => this.#showState(detail.state, detail.reason));
    this.#saver.addEventListener("conflict", ({ detail }) => {
      this.#conflicts = detail.conflicts;
      this.#compare();
    });
    this.#saver.addEventListener("merged", () => {
      if (!this.#conflicts) this.#summary.textContent = this.#labels.conflict.merged;
      this.#conflicts = null;
    });
    document.addEventListener("keydown", (event) => {
      if (document.querySelector("dialog[open]")) return;
      const action = actionOf(event);
      if (!action) return;
      event.preventDefault();
      event.stopPropagation();
      this.#run(action);
    }, true);
    const media = this.#player?.media;
    media?.addEventListener("timeupdate", () => this.#follow());
    media?.addEventListener("seeked", () => this.#follow());
    media?.addEventListener("play", () => this.#watchLimit());
  }

  #compare() {
    showConflicts(this.#conflicts, this.#labels, this.#config.language, (chosen) => {
      this.#saver.settle(chosen);
      this.#conflicts = null;
    });
  }

  #afterChange({ isUndo = false } = {}) {
    const { cues, selectedId } = this.#store;
    this.#remarks = this.#reviewer.of(cues);
    this.#list.setRemarks(this.#remarks);
    this.#list.draw();
    if (isUndo) this.#list.reveal(selectedId, { focus: true });
    this.#wave?.draw();
    this.#empty.hidden = cues.length > 0;
    this.#later();
  }

  /** What may follow a little after the key: counts and names. */
  #later = delayed(() => {
    const { cues } = this.#store;
    const count = this.#remarks.reduce((sum, found) => sum + found.length, 0);
    this.#summary.textContent = count ? fill(this.#labels.remarks, { count }) : this.#labels.noRemarks;
    const names = speakers(cues).slice(0, 50);
    if (names.join("\n") !== this.#names.dataset.names) {
      this.#names.replaceChildren(...names.map((name) => h("option", { value: name })));
      this.#names.dataset.names = names.join("\n");
    }
    if (this.#config.mayEdit) {
      this.#buttons.get("undo").disabled = !this.#store.canUndo;
      this.#buttons.get("redo").disabled = !this.#store.canRedo;
    }
  }, 150);

  #showState(state, reason = "") {
    this.#status.textContent = this.#config.mayEdit ? fill(this.#labels.states[state], { reason }) : "";
    this.#status.dataset.state = state;
  }

  async #showWave(container, token = "") {
    if (!this.#player || !this.#config.peaksUrl || !this.#config.durationMs) return;
    const peaks = await fetchPeaks(this.#config.peaksUrl, token);
    if (peaks === "failed") this.#offerWave(container);
    if (!peaks || peaks === "failed") return;
    container.replaceChildren();
    this.#wave = new Waveform(container, {
      player: this.#player,
      peaks,
      durationS: this.#config.durationMs / 1000,
      store: this.#store,
      mayEdit: this.#config.mayEdit,
      label: this.#labels.waveform,
    });
  }

  /** The picture of the sound could not be made: say so, and let a person have it tried again. */
  #offerWave(container) {
    const token = container.closest("[data-editor]").querySelector("[name=csrfmiddlewaretoken]").value;
    const again = h(
      "button",
      {
        type: "button",
        class: "btn btn-sm btn-outline-primary",
        onclick: () => {
          container.hidden = true;
          this.#showWave(container, token);
        },
      },
      this.#labels.tryAgain,
    );
    container.replaceChildren(
      h("p", { class: "editor-nowave" }, this.#labels.noWaveform, " ", this.#config.mayEdit ? again : null),
    );
    container.hidden = false;
  }

  // --- Playing -------------------------------------------------------------------------------------------------------

  get #nowMs() {
    return Math.round((this.#player?.currentTime ?? 0) * 1000);
  }

  #playCue(cue, isLoop = false) {
    if (!cue) return;
    this.#store.select(cue.id);
    this.#limit = { start: cue.start_ms, end: cue.end_ms, isLoop };
    this.#player?.seek(cue.start_ms / 1000);
    this.#watchLimit();
  }

  /** Stop at the end of the cue that is played, or begin it again: to the picture, not to the quarter of a second. */
  #watchLimit() {
    const media = this.#player?.media;
    const limit = this.#limit;
    if (!limit || !media) return;
    const look = () => {
      if (this.#limit !== limit) return;
      const now = media.currentTime * 1000;
      if (!media.seeking && now >= limit.end) {
        if (limit.isLoop) media.currentTime = limit.start / 1000;
        else {
          media.pause();
          this.#limit = null;
          return;
        }
      }
      if (!media.paused || media.seeking || now < limit.start) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }

  #follow() {
    const cue = at(this.#store.cues, this.#nowMs);
    const isShown = cue && this.#nowMs < cue.end_ms;
    this.#list.markShown(isShown ? cue.id : null);
    const text = isShown ? plain(cue.text) : "";
    if (this.#caption.textContent !== text) this.#caption.textContent = text;
    this.#caption.lang = this.#config.language;
    this.#wave?.reveal(this.#nowMs);
  }

  // --- Actions -------------------------------------------------------------------------------------------------------

  #run(action) {
    if (CHANGING.has(action) && !this.#config.mayEdit) return;
    this[`do_${action}`]();
  }

  #go(step) {
    const { cues, selectedId } = this.#store;
    const next = cues[indexOf(cues, selectedId) + step];
    if (next) this.#select(next.id);
  }

  #select(id) {
    this.#store.select(id);
    this.#list.reveal(id, { focus: true });
    const cue = this.#store.selected;
    if (cue) this.#wave?.reveal(cue.start_ms);
  }

  do_play() {
    this.#limit = null;
    this.#player?.toggle();
  }

  do_back() {
    this.#player?.moveTo(Math.max(0, this.#player.currentTime - JUMP_S));
  }

  do_forward() {
    this.#player?.moveTo(this.#player.currentTime + JUMP_S);
  }

  do_playCue() {
    this.#playCue(this.#store.selected);
  }

  do_loop() {
    if (this.#limit?.isLoop) {
      this.#limit = null;
      this.#player?.media.pause();
    } else this.#playCue(this.#store.selected, true);
  }

  do_setIn() {
    this.#setTime("start_ms");
  }

  do_setOut() {
    this.#setTime("end_ms");
  }

  #setTime(name) {
    const { cues, selectedId } = this.#store;
    if (selectedId && this.#player) this.#store.apply(change(cues, selectedId, { [name]: this.#nowMs }));
  }

  do_previous() {
    this.#go(-1);
  }

  do_next() {
    this.#go(1);
  }

  do_here() {
    const cue = at(this.#store.cues, this.#nowMs);
    if (cue) this.#select(cue.id);
  }

  do_nextProblem() {
    const { cues, selectedId } = this.#store;
    const from = indexOf(cues, selectedId);
    for (let step = 1; step <= cues.length; step += 1) {
      const place = (from + step) % cues.length;
      if (this.#remarks[place]?.length) return this.#select(cues[place].id);
    }
  }

  do_speakerField() {
    this.#list.reveal(this.#store.selectedId);
    const field = this.#list.row(this.#store.selectedId)?.speaker;
    field?.focus();
    field?.select();
  }

  do_split() {
    const { cues, selectedId } = this.#store;
    const field = this.#list.row(selectedId)?.text;
    if (!field) return;
    const [done, id] = split(cues, selectedId, field.selectionStart, this.#config.rules.gapMs);
    this.#store.apply(done, { selectedId: id });
    this.#list.reveal(id, { focus: 0 });
  }

  do_merge() {
    this.#store.apply(merge(this.#store.cues, this.#store.selectedId));
    this.#list.reveal(this.#store.selectedId, { focus: true });
  }

  do_insert() {
    const { cues, selectedId } = this.#store;
    const [done, id] = insert(cues, selectedId, this.#nowMs, this.#config.rules.gapMs);
    this.#store.apply(done, { selectedId: id });
    this.#list.reveal(id, { focus: 0 });
  }

  do_remove() {
    const [done, id] = remove(this.#store.cues, this.#store.selectedId);
    this.#store.apply(done, { selectedId: id });
    this.#list.reveal(id, { focus: true });
  }

  do_shift() {
    showShift(this.#store, this.#labels);
  }

  do_find() {
    showFind(this.#store, this.#labels, (id) => this.#list.reveal(id), this.#config.mayEdit);
  }

  do_undo() {
    this.#store.undo();
  }

  do_redo() {
    this.#store.redo();
  }

  do_save() {
    if (this.#conflicts) this.#compare();
    else this.#saver.save();
  }

  do_help() {
    showKeys(this.#labels);
  }
}

/** The source's text for a translated cue: of the cues that it was made from, else of those at the same time. */
function sourceOf(source) {
  const byId = new Map(source.map((cue) => [cue.id, cue]));
  return (cue) => {
    const named = (cue.source_ids ?? []).map((id) => byId.get(id)).filter(Boolean);
    const found = named.length
      ? named
      : source.filter((one) => one.start_ms < cue.end_ms && cue.start_ms < one.end_ms);
    return found.map((one) => one.text).join("\n");
  };
}

function delayed(run, ms) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, ms);
  };
}
