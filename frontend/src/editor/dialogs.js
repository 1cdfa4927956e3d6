// Small windows of the editor: keys, shifting, finding and replacing, and choosing between two people's versions.
import { countMatches, patternOf, replace, shift } from "./cues.js";
import { h, openDialog } from "./dom.js";
import { KEYS } from "./keys.js";
import { timeText } from "./time.js";
import { fill } from "../player/labels.js";

export function showKeys(labels) {
  const rows = KEYS.map(([action, key]) =>
    h("tr", {}, h("th", { scope: "row" }, h("kbd", { dir: "ltr" }, key)), h("td", {}, labels.actions[action])),
  );
  openDialog(labels.actions.help, labels.close, h("table", { class: "editor-keys" }, h("tbody", {}, ...rows)));
}

function field(label, input) {
  return h("label", { class: "editor-field" }, h("span", {}, label), input);
}

export function showShift(store, labels) {
  const words = labels.shift;
  const by = h("input", { class: "form-control", type: "number", step: 10, value: 0, dir: "ltr", required: true });
  const which = h(
    "select",
    { class: "form-select" },
    ...["one", "following", "all"].map((name) => h("option", { value: name }, words[name])),
  );
  which.value = "following";
  const form = h(
    "form",
    {
      method: "dialog",
      onsubmit: () => {
        const ms = Math.round(Number(by.value));
        if (ms) store.apply(shift(store.cues, store.selectedId, ms, which.value));
      },
    },
    field(words.by, by),
    field(words.which, which),
    h("button", { class: "btn btn-primary" }, words.apply),
  );
  openDialog(words.title, labels.close, form);
  by.select();
}

/** Finding and replacing; `reveal(id)` brings a cue into view behind the window. */
export function showFind(store, labels, reveal, mayEdit) {
  const words = labels.find;
  const what = h("input", { class: "form-control", type: "search", dir: "auto", maxlength: 500 });
  const instead = h("input", { class: "form-control", dir: "auto", maxlength: 500 });
  const matchCase = h("input", { type: "checkbox", class: "form-check-input" });
  const wholeWords = h("input", { type: "checkbox", class: "form-check-input" });
  const result = h("p", { class: "editor-result", role: "status" });
  const excerpt = h("blockquote", { class: "editor-excerpt", dir: "auto", hidden: true });
  const pattern = () => patternOf(what.value, { matchCase: matchCase.checked, wholeWords: wholeWords.checked });
  const count = () => {
    const wanted = pattern();
    const found = wanted ? countMatches(store.cues, wanted) : 0;
    result.textContent = !wanted ? "" : found ? fill(words.found, { count: found }) : words.none;
    return found;
  };
  const next = () => {
    const wanted = pattern();
    if (!wanted || !count()) return null;
    const from = store.cues.findIndex((cue) => cue.id === store.selectedId);
    const { length } = store.cues;
    for (let step = 1; step <= length; step += 1) {
      const cue = store.cues[(from + step) % length];
      if (cue.text.search(wanted) < 0) continue;
      store.select(cue.id);
      reveal(cue.id);
      excerpt.hidden = false;
      excerpt.textContent = `${timeText(cue.start_ms)}  ${cue.text}`;
      return cue;
    }
    return null;
  };
  const replaceIn = (id) => {
    const wanted = pattern();
    if (!wanted) return;
    const [cues, done] = replace(store.cues, wanted, instead.value, id);
    store.apply(cues);
    if (id !== null) next();
    result.textContent = fill(words.replaced, { count: done });
  };
  for (const element of [what, matchCase, wholeWords]) element.addEventListener("input", count);
  const button = (label, run) => h("button", { type: "button", class: "btn btn-outline-primary", onclick: run }, label);
  const form = h(
    "form",
    {
      onsubmit: (event) => {
        event.preventDefault();
        next();
      },
    },
    field(words.what, what),
    mayEdit ? field(words.with, instead) : null,
    h("label", { class: "editor-check" }, matchCase, words.case),
    h("label", { class: "editor-check" }, wholeWords, words.words),
    result,
    excerpt,
    h(
      "div",
      { class: "editor-buttons" },
      h("button", { class: "btn btn-primary" }, words.next),
      mayEdit ? button(words.replace, () => replaceIn(store.selectedId)) : null,
      mayEdit ? button(words.replaceAll, () => replaceIn(null)) : null,
    ),
  );
  openDialog(words.title, labels.close, form, { className: "is-aside" });
  what.focus();
}

/** Both versions of each cue that two people changed; `settle(chosen cues)` is called once, or not if it is closed. */
export function showConflicts(conflicts, labels, language, settle) {
  const words = labels.conflict;
  const items = conflicts.map((conflict, at) => {
    const side = (name) => {
      const cue = conflict[name];
      const text = h("span", { dir: "auto", lang: language, class: "editor-version" }, cue ? cue.text : words.deleted);
      const times = cue ? h("small", { dir: "ltr" }, `${timeText(cue.start_ms)} – ${timeText(cue.end_ms)}`) : null;
      const who = cue?.speaker ? h("b", { dir: "auto" }, cue.speaker) : null;
      return h("div", {}, times, who, text);
    };
    const choice = (name) =>
      h(
        "label",
        { class: "editor-choice" },
        h("input", { type: "radio", class: "form-check-input", name: `conflict-${at}`, value: name, checked: name === "mine" }),
        h("span", {}, h("b", {}, words[name]), side(name)),
      );
    return h(
      "fieldset",
      {},
      h("legend", { class: "visually-hidden" }, timeText((conflict.mine ?? conflict.theirs ?? conflict.base).start_ms)),
      conflict.base ? h("div", { class: "editor-before" }, h("b", {}, words.base), side("base")) : null,
      choice("mine"),
      choice("theirs"),
    );
  });
  const all = (name) => () => {
    for (const item of items) item.querySelector(`input[value=${name}]`).checked = true;
  };
  const form = h(
    "form",
    { method: "dialog" },
    h("p", {}, words.intro),
    h(
      "div",
      { class: "editor-buttons" },
      h("button", { type: "button", class: "btn btn-sm btn-outline-primary", onclick: all("mine") }, words.allMine),
      h("button", { type: "button", class: "btn btn-sm btn-outline-primary", onclick: all("theirs") }, words.allTheirs),
    ),
    ...items,
    h("button", { class: "btn btn-primary", value: "apply" }, words.apply),
  );
  openDialog(words.title, labels.close, form, {
    className: "is-wide",
    onclose: (value) => {
      if (value !== "apply") return;
      const names = items.map((item) => item.querySelector("input:checked").value);
      settle(conflicts.map((conflict, at) => conflict[names[at]]).filter(Boolean));
    },
  });
}
