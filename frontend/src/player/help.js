// The list of keys, and what is counted: a modal dialog, inside the player so that it shows in full screen too.

export class Help {
  #dialog;

  constructor(controller, labels, isPersonal) {
    this.#dialog = document.createElement("dialog");
    const dialog = this.#dialog;
    dialog.className = "player-help";
    dialog.setAttribute("noautohide", "");
    dialog.dir = document.documentElement.dir || "ltr";
    dialog.setAttribute("aria-label", labels.help);
    const close = document.createElement("button");
    close.type = "button";
    close.className = "player-help-close";
    close.textContent = "✕";
    close.setAttribute("aria-label", labels.close);
    close.addEventListener("click", () => dialog.close());
    const keys = document.createElement("dl");
    for (const [key, meaning] of Object.entries(labels.shortcuts)) {
      const name = element("dt", "");
      for (const one of key.split(/,? /)) name.append(one === "–" ? " – " : element("kbd", one), " ");
      name.dir = "ltr";
      keys.append(name, element("dd", meaning));
    }
    dialog.append(
      close,
      element("h2", labels.shortcutsTitle),
      element("p", labels.shortcutsNote),
      keys,
      element("h2", labels.privacyTitle),
      element("p", labels.privacy),
      ...(isPersonal ? [element("p", labels.privacyPersonal)] : []),
    );
    // A click on the dialog itself is one on its backdrop; none of them may reach the player behind.
    dialog.addEventListener("click", (event) => {
      event.stopPropagation();
      if (event.target === dialog) dialog.close();
    });
    controller.append(dialog);
  }

  show() {
    if (!this.#dialog.open) this.#dialog.showModal();
  }
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  made.dir = "auto";
  return made;
}
