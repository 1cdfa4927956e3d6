// The editor's keys. By the place of a key, not by its letter, so that they are the same on every keyboard layout; with
// Alt, since letters alone are for writing. AltGr (which reports Ctrl and Alt) stays free for typing.

/** [name of the action, how it is written, whether an event is it]. */
export const KEYS = [
  ["play", "Alt+K", alt("KeyK")],
  ["back", "Alt+J", alt("KeyJ")],
  ["forward", "Alt+L", alt("KeyL")],
  ["playCue", "Alt+P", alt("KeyP")],
  ["loop", "Alt+R", alt("KeyR")],
  ["setIn", "Alt+I", alt("KeyI")],
  ["setOut", "Alt+O", alt("KeyO")],
  ["previous", "Alt+↑", alt("ArrowUp")],
  ["next", "Alt+↓", alt("ArrowDown")],
  ["here", "Alt+H", alt("KeyH")],
  ["nextProblem", "Alt+Q", alt("KeyQ")],
  ["speakerField", "Alt+G", alt("KeyG")],
  ["split", "Alt+S", alt("KeyS")],
  ["merge", "Alt+M", alt("KeyM")],
  ["insert", "Alt+N", alt("KeyN")],
  ["remove", "Alt+⌫", alt("Backspace")],
  ["shift", "Alt+T", alt("KeyT")],
  ["find", "Alt+F", alt("KeyF")],
  ["undo", "Ctrl+Z", ctrl("KeyZ")],
  ["redo", "Ctrl+Y", (event) => ctrl("KeyY")(event) || ctrl("KeyZ", true)(event)],
  ["save", "Ctrl+S", ctrl("KeyS")],
  ["help", "F1", (event) => event.code === "F1" || alt("Slash")(event)],
];

function alt(code) {
  return (event) => event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.code === code;
}

function ctrl(code, shift = false) {
  return (event) =>
    (event.ctrlKey || event.metaKey) && !event.altKey && event.shiftKey === shift && event.code === code;
}

/** The action that a key means, or null. */
export function actionOf(event) {
  return KEYS.find(([, , isIt]) => isIt(event))?.[0] ?? null;
}

export function keyOf(action) {
  return KEYS.find(([name]) => name === action)?.[1] ?? "";
}
