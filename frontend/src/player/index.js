// <rostrum-player>: quality, subtitles, sound and speed to choose from, previews, chapters, keys, remembered position.
//
// Inside it stands a plain <video>, which stays where scripts or their features are missing, and becomes the player's
// own where they are there. The program that plays HLS is fetched when somebody is about to watch (source.js).
import "media-chrome/dist/media-controller.js";
import "media-chrome/dist/media-control-bar.js";
import "media-chrome/dist/media-fullscreen-button.js";
import "media-chrome/dist/media-loading-indicator.js";
import "media-chrome/dist/media-mute-button.js";
import "media-chrome/dist/media-pip-button.js";
import "media-chrome/dist/media-play-button.js";
import "media-chrome/dist/media-seek-backward-button.js";
import "media-chrome/dist/media-seek-forward-button.js";
import "media-chrome/dist/media-time-display.js";
import "media-chrome/dist/media-time-range.js";
import "media-chrome/dist/media-volume-range.js";

import { sendBeats } from "./beats.js";
import { Captions } from "./captions.js";
import { Chapters } from "./chapters.js";
import { Help } from "./help.js";
import * as icons from "./icons.js";
import { connectKeyboard, speeds } from "./keyboard.js";
import { autonym, clock, fill, readLabels } from "./labels.js";
import { Menu } from "./menu.js";
import { askedMoment, rememberedMoment, rememberPosition } from "./position.js";
import { kindOf, Source } from "./source.js";
import { connectTranscript } from "./transcript.js";

const NOTICE_MS = 4000;

const CONTROLS = `
  <div class="sound-only" hidden>${icons.SOUND}<span></span></div>
  <media-loading-indicator slot="centered-chrome" noautohide></media-loading-indicator>
  <button type="button" class="start" slot="centered-chrome" noautohide>${icons.PLAY}<span class="start-label"></span></button>
  <div class="captions" noautohide aria-live="off"></div>
  <div class="player-notice" role="status" noautohide></div>
  <div class="menu captions-menu" noautohide></div>
  <div class="menu settings-menu" noautohide></div>
  <media-time-range></media-time-range>
  <media-control-bar>
    <media-play-button></media-play-button>
    <media-seek-backward-button seekoffset="10"></media-seek-backward-button>
    <media-seek-forward-button seekoffset="10"></media-seek-forward-button>
    <media-mute-button></media-mute-button>
    <media-volume-range></media-volume-range>
    <media-time-display showduration></media-time-display>
    <span class="spacer"></span>
    <button type="button" class="bar-button captions-button">${icons.SUBTITLES}</button>
    <button type="button" class="bar-button settings-button">${icons.SETTINGS}</button>
    <media-pip-button></media-pip-button>
    <media-fullscreen-button></media-fullscreen-button>
  </media-control-bar>`;

class RostrumPlayer extends HTMLElement {
  media = null;
  captions = null;
  chapters = null;
  startupMs = null; // from the wish to play to the first picture
  #controller;
  #source;
  #settings;
  #startAtS = 0;
  #openMenus = 0;

  connectedCallback() {
    if (this.media) return;
    const video = this.querySelector("video");
    const fallback = video.getAttribute("src") ?? "";
    const kind = kindOf(video, fallback);
    // Constructed style sheets came with Safari 16.4; older browsers keep the plain element.
    if (!kind || !("adoptedStyleSheets" in Document.prototype)) {
      if (kind === "native") video.src = `${this.getAttribute("base")}master.m3u8`;
      return;
    }
    this.labels = readLabels(this);
    this.media = video;
    this.#source = new Source(video, {
      base: this.getAttribute("base"),
      package: this.getAttribute("package"),
      renew: this.getAttribute("renew"),
      engine: this.getAttribute("engine"),
      fallback,
      isBuilding: this.hasAttribute("building"),
    });
    this.#build(video);
    this.#connect();
  }

  get currentTime() {
    return this.media.currentTime || this.#startAtS;
  }

  get durationS() {
    return this.media.duration || Number(this.getAttribute("duration")) / 1000 || 0;
  }

  /** Go to a moment (seconds) and play on from there. */
  seek(time) {
    this.moveTo(time);
    this.media.play().catch(() => {}); // a browser that forbids playing leaves it paused at the right place
  }

  moveTo(time) {
    if (this.media.readyState >= 1) this.media.currentTime = time;
    else this.#startAtS = time;
  }

  /** Fix the quality by its height, or 0 for automatic; remembered. */
  chooseQuality(height) {
    this.#source.choose(height);
  }

  toggle() {
    if (this.media.paused) this.media.play().catch(() => {});
    else this.media.pause();
  }

  #build(video) {
    const controller = document.createElement("media-controller");
    this.#controller = controller;
    controller.setAttribute("nohotkeys", ""); // keyboard.js knows more of them
    controller.setAttribute("dir", "ltr"); // time runs from left to right in players of every language
    controller.setAttribute("aria-label", this.getAttribute("label") ?? "");
    controller.className = "is-idle";
    controller.innerHTML = CONTROLS;

    video.removeAttribute("src");
    video.removeAttribute("controls");
    video.slot = "media";
    video.load(); // forget the file for those without scripts
    if (this.hasAttribute("storyboard")) video.append(this.#track("metadata", "storyboard.vtt", "thumbnails"));
    const chapters = this.hasAttribute("chapters") ? this.#track("chapters", "chapters.vtt", "") : null;
    if (chapters) video.append(chapters);
    controller.prepend(video);
    this.append(controller);

    if (this.hasAttribute("audio-only")) {
      const art = controller.querySelector(".sound-only");
      art.hidden = false;
      art.querySelector("span").textContent = this.getAttribute("label");
      art.querySelector("span").dir = "auto";
    }
    this.chapters = new Chapters(this, chapters);
    this.help = new Help(controller, this.labels, this.hasAttribute("personal"));
    this.captions = new Captions(video, controller.querySelector(".captions"));
    this.captions.selectFirst(this.getAttribute("subtitles"));
    this.#buildMenus(controller);
  }

  #track(kind, name, label) {
    const track = document.createElement("track");
    track.kind = kind;
    track.label = label; // "thumbnails" is the name by which Media Chrome finds the previews
    track.src = this.getAttribute("base") + name;
    track.default = true;
    return track;
  }

  #connect() {
    const { media } = this;
    const source = this.#source;
    media.addEventListener("play", () => {
      this.#controller.classList.remove("is-idle");
      source.start(this.#startAtS);
    });
    this.#chooseStart();
    rememberPosition(media, this.getAttribute("remember"));
    connectKeyboard(this.#controller, this);
    media.addEventListener("rostrum-started", (event) => (this.startupMs = event.detail));
    sendBeats(media, { where: () => `${source.base}beats/`, captions: this.captions, source });

    for (const type of ["levels", "sounds"]) source.addEventListener(type, () => this.#settings.refresh());
    source.addEventListener("grown", () => this.#notify(this.labels.newQuality));
    source.addEventListener("base", () => this.captions.moveTo(source.base));
    source.addEventListener("problem", (event) => this.#showProblem(event.detail));
    source.addEventListener("fine", () => this.#showProblem(""));
    this.#controller.querySelector(".start").addEventListener("click", (event) => {
      event.stopPropagation();
      this.toggle();
      this.#controller.focus();
    });
    this.#warmUp();
  }

  /** Where to begin: at the moment in the address, else where this viewer stopped. */
  #chooseStart() {
    const asked = askedMoment();
    this.#startAtS = asked ?? rememberedMoment(this.getAttribute("remember"));
    const label = this.#controller.querySelector(".start-label");
    const button = this.#controller.querySelector(".start");
    const shown = this.#startAtS ? fill(this.labels.continue, { time: clock(this.#startAtS) }) : clock(this.durationS);
    label.textContent = this.#startAtS || this.durationS ? shown : "";
    label.dir = "auto";
    button.setAttribute("aria-label", this.#startAtS ? shown : this.labels.play);
    if (this.#startAtS && !isOnCostlyLine()) this.#source.start(this.#startAtS);
  }

  /** Fetch the program and the list of qualities once the page is done, or at the first sign that somebody will watch. */
  #warmUp() {
    const prepare = () => this.#source.prepare();
    for (const type of ["pointerenter", "touchstart", "focusin"]) {
      this.addEventListener(type, prepare, { once: true, passive: true });
    }
    if (isOnCostlyLine()) return;
    const whenIdle = () => (self.requestIdleCallback ?? ((work) => setTimeout(work, 500)))(prepare);
    if (document.readyState === "complete") whenIdle();
    else addEventListener("load", whenIdle, { once: true });
  }

  // --- Menus ---------------------------------------------------------------------------------------------------------

  #buildMenus(controller) {
    const { labels, captions } = this;
    const onToggle = (isOpen) => {
      this.#openMenus += isOpen ? 1 : -1;
      controller.setAttribute("autohide", this.#openMenus > 0 ? "-1" : "2");
    };
    const make = (name, label, pages) =>
      new Menu(controller.querySelector(`.${name}-button`), controller.querySelector(`.${name}-menu`), pages, {
        label,
        onToggle,
      });
    const button = controller.querySelector(".captions-button");
    button.hidden = captions.tracks.length === 0;
    const mark = () => button.classList.toggle("is-on", captions.language !== "off");
    captions.addEventListener("change", mark);
    mark();
    make("captions", labels.captions, () => ({ root: { items: this.#captionItems() } }));
    this.#settings = make("settings", labels.settings, () => this.#settingsPages());
    this.chapters.addEventListener("change", () => this.#settings.refresh());
  }

  #captionItems() {
    const { captions, labels } = this;
    const item = (language, label, lang) => ({
      label,
      lang,
      isChecked: captions.language === language,
      run: () => captions.select(language),
    });
    return [
      item("off", labels.off),
      ...captions.tracks.map((track) => item(track.language, track.label, track.language)),
    ];
  }

  #settingsPages() {
    const { labels, media } = this;
    const source = this.#source;
    const { qualities, quality, sounds, sound } = source;
    const automatic = source.shown ? fill(labels.autoNow, { quality: `${source.shown}p` }) : labels.auto;
    const speedName = (speed) => (speed === 1 ? labels.normal : `${speed}×`);
    const pages = {
      quality: {
        title: labels.quality,
        items: [0, ...qualities].map((height) => ({
          label: height ? `${height}p` : automatic,
          isChecked: quality === height,
          run: () => source.choose(height),
        })),
      },
      speed: {
        title: labels.speed,
        items: speeds().map((speed) => ({
          label: speedName(speed),
          isChecked: media.playbackRate === speed,
          run: () => (media.playbackRate = speed) === 0,
        })),
      },
      sound: {
        title: labels.sound,
        items: sounds.map(({ id, name, language }) => ({
          label: autonym(language, name),
          lang: language,
          isChecked: id === sound,
          run: () => source.chooseSound(id),
        })),
      },
      chapters: {
        title: labels.chapters,
        items: this.chapters.list.map(({ start, title }, index) => ({
          label: title,
          detail: clock(start),
          isChecked: index === this.chapters.current,
          run: () => this.moveTo(start),
        })),
      },
    };
    const more = (to, detail) => ({ label: pages[to].title, detail, to });
    const root = [
      ...(pages.chapters.items.length ? [more("chapters", "")] : []),
      ...(sounds.length > 1 ? [more("sound", pages.sound.items.find((item) => item.isChecked)?.label)] : []),
      ...(qualities.length > 1 ? [more("quality", quality ? `${quality}p` : automatic)] : []),
      more("speed", speedName(media.playbackRate)),
      { label: labels.copyLink, detail: clock(this.currentTime), run: () => this.#copyLink() },
      { label: labels.help, run: () => this.help.show() },
    ];
    return { ...pages, root: { items: root } };
  }

  async #copyLink() {
    const link = `${this.getAttribute("share")}#t=${Math.floor(this.currentTime)}`;
    try {
      await navigator.clipboard.writeText(link);
      this.#notify(this.labels.copied);
    } catch {
      this.#notify(fill(this.labels.notCopied, { link }), 30_000);
    }
  }

  // --- What happens --------------------------------------------------------------------------------------------------

  #notify(text, lifeMs = NOTICE_MS) {
    const notice = this.#controller.querySelector(".player-notice");
    notice.dir = document.documentElement.dir || "ltr";
    notice.textContent = text;
    clearTimeout(this.noticeTimer);
    if (lifeMs) this.noticeTimer = setTimeout(() => (notice.textContent = ""), lifeMs);
  }

  #showProblem(problem) {
    this.#controller.querySelector(".player-error")?.remove();
    if (!problem || problem === "offline") return this.#notify(problem ? this.labels.offline : "", 0);
    this.#notify("", 0);
    this.media.pause();
    const box = document.createElement("div");
    box.className = "player-error";
    box.dir = document.documentElement.dir || "ltr";
    box.setAttribute("noautohide", "");
    box.setAttribute("role", "alert");
    box.slot = "centered-chrome";
    const text = document.createElement("p");
    text.textContent = this.labels[problem];
    box.append(text);
    if (problem === "failed") {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-primary";
      button.textContent = this.labels.retry;
      button.addEventListener("click", () => location.reload());
      box.append(button);
    }
    this.#controller.append(box);
  }
}

/** Whether each megabyte counts: the viewer asked to save data, or the line is of the slowest kind. */
function isOnCostlyLine() {
  const { saveData, effectiveType = "" } = navigator.connection ?? {};
  return Boolean(saveData) || effectiveType.endsWith("2g");
}

customElements.define("rostrum-player", RostrumPlayer);

const player = document.querySelector("rostrum-player");
if (player?.media) {
  for (const panel of document.querySelectorAll("[data-transcript]")) connectTranscript(panel, player);
  for (const link of document.querySelectorAll("a[data-moment]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      history.replaceState(null, "", link.hash);
      player.seek(Number(link.dataset.moment));
    });
  }
}
