// Building elements without inline styles or markup.

/** h("button", {class: "btn", onclick: run, type: "button"}, "Text", otherElement). */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A modal dialog with a title; removed when it is closed. `onclose` gets its return value. */
export function openDialog(title, closeLabel, content, { onclose = () => {}, className = "" } = {}) {
  const heading = h("h2", { id: `dialog-${Math.random().toString(36).slice(2)}` }, title);
  const close = h("button", { type: "button", class: "btn-close", "aria-label": closeLabel });
  const dialog = h(
    "dialog",
    { class: `editor-dialog ${className}`, "aria-labelledby": heading.id },
    h("div", { class: "editor-dialog-head" }, heading, close),
    content,
  );
  const focused = document.activeElement;
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    focused?.focus?.();
    onclose(dialog.returnValue);
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
