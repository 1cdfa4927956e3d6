// The menu of subtitle languages, each under its own name.

let menus = 0;

export class CaptionsMenu {
  #menu;
  #button;
  #labels;
  #captions;

  constructor(controller, captions, labels) {
    this.#menu = controller.querySelector(".captions-menu");
    this.#button = controller.querySelector(".captions-button");
    this.#labels = labels;
    this.#captions = captions;
    const number = ++menus;
    this.#menu.id = `captions-menu-${number}`;
    this.#button.id = `captions-button-${number}`;
    this.#button.setAttribute("invoketarget", this.#menu.id);
    this.#button.setAttribute("aria-haspopup", "menu");
    this.#menu.setAttribute("anchor", this.#button.id);
    for (const element of [this.#menu, this.#button]) element.setAttribute("aria-label", labels.captions);
    this.#menu.addEventListener("change", () => captions.select(this.#menu.value));
    captions.addEventListener("change", () => this.#mark());
  }

  /** Show one item per track, and "Off"; without tracks there is no button. */
  offer(tracks) {
    this.#button.hidden = tracks.length === 0;
    this.#menu.replaceChildren(
      item("off", this.#labels.off),
      ...tracks.map((track) => item(track.language, track.label, track.language)),
    );
    this.#mark();
  }

  #mark() {
    for (const element of this.#menu.children) element.checked = element.value === this.#captions.language;
    this.#button.toggleAttribute("data-on", this.#captions.language !== "off");
  }
}

function item(value, name, language = "") {
  const element = document.createElement("media-chrome-menu-item");
  element.setAttribute("type", "radio");
  element.setAttribute("value", value);
  const text = document.createElement("bdi");
  text.textContent = name;
  if (language) text.lang = language;
  element.append(text);
  return element;
}
