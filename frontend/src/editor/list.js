// The list of cues. Only the rows in sight exist, so that thousands of cues cost as little as ten.
import { change } from "./cues.js";
import { h } from "./dom.js";
import { figures } from "./quality.js";
import { parseTime, timeText } from "./time.js";
import { fill } from "../player/labels.js";

const SPARE = 3; // rows beyond both edges
const STEP_MS = 100;

export class List {
  #store;
  #options;
  #labels;
  #box;
  #spacer;
  #rows = new Map(); // id -> Row
  #rowHeight = 0;
  #remarks = [];
  #shownId = null;

  /** options: {labels, language, rules, mayEdit, source (id -> text), play(cue), seek(ms)}. */
  constructor(store, options) {
    this.#store = store;
    this.#options = options;
    this.#labels = options.labels;
    this.#spacer = h("ol", { class: "editor-rows" });
    this.#box = h("div", { class: "editor-list", tabindex: "-1" }, this.#spacer);
    this.#box.addEventListener("scroll", () => this.#draw(), { passive: true });
    new ResizeObserver(() => {
      this.#rowHeight = 0;
      this.draw();
    }).observe(this.#box);
    store.addEventListener("select", () => this.#draw());
  }

  get element() {
    return this.#box;
  }

  /** How many rows exist at the moment. */
  get size() {
    return this.#rows.size;
  }

  setRemarks(remarks) {
    this.#remarks = remarks;
  }

  /** Mark the cue that is shown in the video. */
  markShown(id) {
    if (id === this.#shownId) return;
    this.#rows.get(this.#shownId)?.element.classList.remove("is-shown");
    this.#rows.get(id)?.element.classList.add("is-shown");
    this.#shownId = id;
  }

  /** Bring a cue into view. `focus` puts the cursor into its text; at a place if that is a number. */
  reveal(id, { focus = false } = {}) {
    const at = this.#store.cues.findIndex((cue) => cue.id === id);
    if (at < 0) return;
    const height = this.#height();
    const top = at * height;
    const { scrollTop, clientHeight } = this.#box;
    if (top < scrollTop || top + height > scrollTop + clientHeight) {
      this.#box.scrollTop = top - Math.max(0, (clientHeight - height) / 3);
    }
    this.#draw();
    if (focus === false) return;
    const field = this.#rows.get(id)?.text;
    field?.focus({ preventScroll: true });
    if (typeof focus === "number") field?.setSelectionRange(focus, focus);
  }

  row(id) {
    return this.#rows.get(id) ?? null;
  }

  draw() {
    this.#draw();
  }

  #height() {
    if (!this.#rowHeight) {
      this.#rowHeight = parseFloat(getComputedStyle(this.#box).getPropertyValue("--editor-row")) || 150;
    }
    return this.#rowHeight;
  }

  /** Make the rows in sight, with what they show now. */
  #draw() {
    const { cues, selectedId } = this.#store;
    const height = this.#height();
    this.#spacer.style.height = `${cues.length * height}px`;
    const first = Math.max(0, Math.floor(this.#box.scrollTop / height) - SPARE);
    const last = Math.min(cues.length, Math.ceil((this.#box.scrollTop + this.#box.clientHeight) / height) + SPARE);
    const wanted = new Map();
    for (let at = first; at < last; at += 1) wanted.set(cues[at].id, at);
    // Whoever types in a row that was scrolled away goes on typing there.
    const focused = document.activeElement?.closest?.(".editor-row")?.dataset.id;
    if (focused && !wanted.has(focused)) {
      const at = cues.findIndex((cue) => cue.id === focused);
      if (at >= 0) wanted.set(focused, at);
    }
    for (const [id, row] of this.#rows) {
      if (wanted.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    for (const [id, at] of [...wanted].sort((a, b) => a[1] - b[1])) {
      let row = this.#rows.get(id);
      if (!row) {
        row = new Row(id, this.#store, this.#options);
        this.#rows.set(id, row);
        this.#place(row, at);
      }
      row.show(cues[at], at, cues.length, height, this.#remarks[at] ?? [], id === selectedId, id === this.#shownId);
    }
  }

  /** Rows stand in the document in the order of the list, for the tab key and for screen readers. */
  #place(row, at) {
    const next = [...this.#spacer.children].find((other) => Number(other.dataset.at) > at);
    this.#spacer.insertBefore(row.element, next ?? null);
  }
}

class Row {
  #store;
  #options;
  #cue = null;
  #remarks = null;
  #at = -1;
  #top = -1;
  #id;

  constructor(id, store, options) {
    this.#id = id;
    this.#store = store;
    this.#options = options;
    const { labels, language, mayEdit } = options;
    const readonly = !mayEdit;
    const edit = (fields, group = "") => store.apply(change(store.cues, id, fields), { selectedId: id, group });
    const time = (name, label) => {
      const field = h("input", {
        class: "form-control form-control-sm editor-time",
        dir: "ltr",
        inputmode: "decimal",
        autocomplete: "off",
        "aria-label": label,
        readonly,
        onchange: () => {
          const ms = parseTime(field.value);
          if (ms === null) field.value = timeText(this.#cue[name]);
          else edit({ [name]: ms });
        },
        onkeydown: (event) => {
          const step = { ArrowUp: STEP_MS, ArrowDown: -STEP_MS }[event.key];
          if (!step || event.altKey || event.ctrlKey || event.metaKey || readonly) return;
          event.preventDefault();
          edit({ [name]: this.#cue[name] + step * (event.shiftKey ? 10 : 1) }, `${name} ${id}`);
        },
      });
      return field;
    };
    this.start = time("start_ms", labels.start);
    this.end = time("end_ms", labels.end);
    this.speaker = h("input", {
      class: "form-control form-control-sm editor-speaker",
      list: "editor-speakers",
      dir: "auto",
      maxlength: 100,
      autocomplete: "off",
      "aria-label": labels.speaker,
      placeholder: labels.speaker,
      readonly,
      oninput: () => edit({ speaker: this.speaker.value }, `speaker ${id}`),
    });
    this.text = h("textarea", {
      class: "form-control editor-text",
      rows: 2,
      dir: "auto",
      lang: language,
      maxlength: options.maxChars,
      spellcheck: "true",
      "aria-label": labels.text,
      readonly,
      oninput: () => edit({ text: this.text.value }, `text ${id}`),
    });
    this.number = h("button", { type: "button", class: "editor-number", onclick: () => options.play(this.#cue) });
    this.hints = h("p", { class: "editor-hints", id: `hints-${id}` });
    this.text.setAttribute("aria-describedby", this.hints.id);
    this.source = options.source ? h("p", { class: "editor-source", dir: "auto", lang: options.sourceLanguage }) : null;
    this.element = h(
      "li",
      { class: "editor-row", "data-id": id },
      h("div", { class: "editor-times" }, this.number, this.start, this.end, this.speaker),
      this.source,
      this.text,
      this.hints,
    );
    this.element.addEventListener("focusin", () => store.select(id));
    this.element.addEventListener("pointerdown", () => store.select(id));
  }

  show(cue, at, count, height, remarks, isSelected, isShown) {
    const { labels, rules } = this.#options;
    if (at * height !== this.#top) {
      this.#top = at * height;
      this.element.style.transform = `translateY(${this.#top}px)`;
    }
    if (at !== this.#at) {
      this.element.dataset.at = at;
      this.element.setAttribute("aria-posinset", at + 1);
      this.number.textContent = at + 1;
      this.number.setAttribute("aria-label", `${fill(labels.cue, { number: at + 1 })}: ${labels.actions.playCue}`);
      this.#at = at;
    }
    this.element.setAttribute("aria-setsize", count);
    this.element.classList.toggle("is-selected", isSelected);
    this.element.classList.toggle("is-shown", isShown);
    if (cue === this.#cue && remarks === this.#remarks) return;
    if (cue !== this.#cue) {
      put(this.start, timeText(cue.start_ms));
      put(this.end, timeText(cue.end_ms));
      put(this.speaker, cue.speaker ?? "");
      put(this.text, cue.text);
      if (this.source) {
        const text = this.#options.source(cue);
        this.source.textContent = text || labels.noSource;
        this.source.classList.toggle("is-missing", !text);
      }
    }
    this.#cue = cue;
    this.#remarks = remarks;
    const worded = remarks.map(({ code, facts }) => fill(labels.quality[code] ?? code, shown(facts)));
    this.hints.textContent = worded.length ? worded.join(" ") : fill(labels.numbers, figures(cue, rules));
    this.element.classList.toggle("has-errors", remarks.some((one) => one.isError));
    this.element.classList.toggle("has-remarks", remarks.length > 0);
  }
}

/** Change a field's value only where it differs, so that the cursor stays where it is. */
function put(field, value) {
  if (field.value !== value) field.value = value;
}

/** A remark's facts as people read them. */
function shown(facts) {
  const { start_ms: start, language } = facts;
  return {
    ...facts,
    ...(start === undefined ? {} : { time: timeText(start).replace(/\.\d+$/, "") }),
    ...(language ? { language: nameOf(language) } : {}),
  };
}

/** A language's own name, as far as the browser knows it. */
function nameOf(tag) {
  try {
    return new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag; // no tag at all
  }
}
