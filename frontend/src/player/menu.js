// A button with a menu (WAI-ARIA, "Menu Button" and "Menu" patterns), of one or several pages.

let number = 0;

/** `pages` is asked each time the menu opens: a function that returns {root: page, ...}; a page is
 * {title, items: [{label, value, lang, isChecked, to, detail, run}]}. `to` names the page that an item leads to. */
export class Menu {
  #button;
  #panel;
  #pages;
  #shown = "root";
  #onToggle;

  constructor(button, panel, pages, { label, onToggle }) {
    this.#button = button;
    this.#panel = panel;
    this.#pages = pages;
    this.#onToggle = onToggle;
    panel.id = `player-menu-${++number}`;
    panel.hidden = true;
    panel.setAttribute("role", "menu");
    panel.setAttribute("aria-label", label);
    panel.dir = document.documentElement.dir || "ltr";
    button.setAttribute("aria-haspopup", "menu");
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-controls", panel.id);
    button.setAttribute("aria-label", label);
    button.title = label;
    button.addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    panel.addEventListener("keydown", (event) => this.#onKey(event));
    panel.addEventListener("click", (event) => event.stopPropagation());
    panel.addEventListener("focusout", (event) => {
      if (this.isOpen && event.relatedTarget && !panel.contains(event.relatedTarget)) this.close({ focus: false });
    });
    document.addEventListener("pointerdown", (event) => {
      const path = event.composedPath();
      if (this.isOpen && !path.includes(panel) && !path.includes(button)) this.close({ focus: false });
    });
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  open() {
    this.#panel.hidden = false;
    this.#button.setAttribute("aria-expanded", "true");
    this.#show("root");
    this.#onToggle(true);
  }

  close({ focus = true } = {}) {
    if (!this.isOpen) return;
    this.#panel.hidden = true;
    this.#button.setAttribute("aria-expanded", "false");
    this.#onToggle(false);
    if (focus) this.#button.focus();
  }

  /** Draw an open menu anew because what it shows has changed; the focus stays on the same item. */
  refresh() {
    if (!this.isOpen) return;
    const index = [...this.#panel.children].indexOf(this.#panel.querySelector(":focus"));
    this.#show(this.#shown, index);
  }

  #show(name, focusOn = -1) {
    const pages = this.#pages();
    const page = pages[name] ?? pages.root;
    this.#shown = pages[name] ? name : "root";
    const items = page.items.map((item) => this.#item(item));
    if (this.#shown !== "root") {
      const back = this.#item({ label: page.title, run: () => this.#show("root"), isBack: true });
      items.unshift(back);
    }
    this.#panel.replaceChildren(...items);
    this.#panel.scrollTop = 0;
    const checked = items.find((item) => item.getAttribute("aria-checked") === "true");
    (items[focusOn] ?? checked ?? items[this.#shown === "root" ? 0 : 1] ?? items[0])?.focus({ preventScroll: false });
  }

  #item({ label, lang, isChecked, to, detail, run, isBack }) {
    const item = document.createElement("button");
    item.type = "button";
    item.tabIndex = -1;
    item.className = isBack ? "menu-item menu-back" : to ? "menu-item menu-more" : "menu-item";
    item.setAttribute("role", isChecked === undefined ? "menuitem" : "menuitemradio");
    if (isChecked !== undefined) item.setAttribute("aria-checked", String(isChecked));
    if (to) item.setAttribute("aria-haspopup", "menu");
    const name = document.createElement("bdi");
    name.textContent = label;
    if (lang) name.lang = lang;
    item.append(name);
    if (detail) {
      const more = document.createElement("bdi");
      more.className = "menu-detail";
      more.textContent = detail;
      item.append(more);
    }
    item.addEventListener("click", () => {
      if (to) return this.#show(to);
      const stays = run();
      if (!isBack && !stays) this.close();
    });
    return item;
  }

  #onKey(event) {
    const items = [...this.#panel.querySelectorAll("button")];
    const index = items.indexOf(document.activeElement);
    const back = this.#panel.dir === "rtl" ? "ArrowRight" : "ArrowLeft";
    const on = this.#panel.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    const moves = { ArrowDown: index + 1, ArrowUp: index - 1 + items.length, Home: 0, End: items.length - 1 };
    if (event.key in moves) items[moves[event.key] % items.length]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") this.close();
    else if (event.key === back && this.#shown !== "root") this.#show("root");
    else if (event.key === on && items[index]?.classList.contains("menu-more")) items[index].click();
    else if (event.key !== "Enter" && event.key !== " ") return;
    else return event.stopPropagation(); // the browser clicks the item
    event.preventDefault();
    event.stopPropagation();
  }
}
