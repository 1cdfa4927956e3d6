// Captions drawn by us: browsers put native ones under the control bar, and set right-to-left text badly.
import { read, write } from "./position.js";

const REMEMBERED = "rostrum.captions";

/** Shows one of the media's text tracks in an overlay. `select(language)` or `select("off")`. */
export class Captions extends EventTarget {
  #media;
  #overlay;
  #track = null;
  #isLeft = false; // to the browser's own drawing
  #draw = () => this.#render();

  constructor(media, overlay) {
    super();
    this.#media = media;
    this.#overlay = overlay;
    // Browsers may switch a native track on by themselves, for the system's language say.
    media.textTracks.addEventListener("change", () => this.#hideNative());
    this.#hideNative();
    // A phone that shows only the bare video in full screen must draw them itself.
    media.addEventListener("webkitbeginfullscreen", () => this.#leaveToBrowser(true));
    media.addEventListener("webkitendfullscreen", () => this.#leaveToBrowser(false));
  }

  /** The tracks that can be chosen, captions of the spoken language first. */
  get tracks() {
    return [...this.#media.textTracks].filter((track) => ["captions", "subtitles"].includes(track.kind));
  }

  get language() {
    return this.#track?.language ?? "off";
  }

  select(language, { remember = true } = {}) {
    this.#track?.removeEventListener("cuechange", this.#draw);
    this.#track = this.tracks.find((track) => track.language === language) ?? null;
    for (const track of this.tracks) track.mode = track === this.#track ? "hidden" : "disabled";
    this.#track?.addEventListener("cuechange", this.#draw);
    if (remember) write(REMEMBERED, this.language);
    this.#render();
    this.dispatchEvent(new Event("change"));
  }

  /** Start with what was asked for, else what this viewer chose last, else the page's language if it is a translation. */
  selectFirst(asked) {
    const pageLanguage = document.documentElement.lang;
    const translated = this.tracks.find((track) => track.kind === "subtitles" && track.language === pageLanguage);
    const wishes = [asked, read(REMEMBERED), translated?.language].filter(Boolean);
    const has = (language) => language === "off" || this.tracks.some((track) => track.language === language);
    this.select(wishes.find(has) ?? "off", { remember: false });
  }

  /** On in the language used last, or off. */
  toggle() {
    if (this.#track) return this.select("off");
    const last = read(REMEMBERED);
    const language = this.tracks.find((track) => track.language === last)?.language ?? this.tracks[0]?.language;
    if (language) this.select(language);
  }

  /** Fetch what was not fetched yet from where it can be had now. */
  moveTo(base) {
    for (const element of this.#media.querySelectorAll("track")) {
      const isLoaded = element.readyState === HTMLTrackElement.LOADED;
      if (!isLoaded) element.src = element.src.replace(/\/playback\/[^/]+\//, base);
    }
  }

  #hideNative() {
    if (this.#isLeft) return;
    for (const track of this.tracks) if (track.mode === "showing") track.mode = "hidden";
  }

  #leaveToBrowser(isLeft) {
    this.#isLeft = isLeft;
    if (this.#track) this.#track.mode = isLeft ? "showing" : "hidden";
  }

  #render() {
    const cues = [...(this.#track?.activeCues ?? [])].sort((a, b) => a.startTime - b.startTime);
    this.#overlay.replaceChildren(
      ...cues.map((cue) => {
        const line = document.createElement("div");
        line.className = "caption";
        line.lang = this.#track.language;
        line.dir = "auto";
        line.append(cue.getCueAsHTML()); // parsed by the browser: text and a few harmless tags, never scripts
        return line;
      }),
    );
  }
}
