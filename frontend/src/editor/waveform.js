// The picture of the sound, from values that the server measured once; the sound itself is never decoded here.
import WaveSurfer from "wavesurfer.js/dist/wavesurfer.js";
import Regions from "wavesurfer.js/dist/plugins/regions.js";

import { change } from "./cues.js";

const ASK_AGAIN_MS = 3000;
const MOST_ASKED = 100;
const HEIGHT = 88;
const PX_PER_SECOND = 60;
const AROUND = 12; // cues on each side of the selected or played one that are drawn

/** Fetch {per_second, peaks}, waiting while a worker measures; null if there are none. */
/** The values; or "failed" if a worker could not measure them; or null. With a `token`, have it tried again first. */
export async function fetchPeaks(url, token = "") {
  for (let asked = 0; asked < MOST_ASKED; asked += 1) {
    const begin = token && asked === 0 ? { method: "POST", headers: { "X-CSRFToken": token } } : {};
    const answer = await fetch(url, begin).catch(() => null);
    if (answer?.status === 200) {
      const { per_second, peaks } = await answer.json();
      const bytes = Uint8Array.from(atob(peaks), (letter) => letter.charCodeAt(0));
      return { perSecond: per_second, values: Float32Array.from(bytes, (byte) => byte / 255) };
    }
    if (answer?.status === 404) return (await answer.json().catch(() => ({}))).state === "failed" ? "failed" : null;
    if (answer?.status !== 202) return null;
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
  return null;
}

/** What wavesurfer takes for a media element: it shows and sets the player's moment, and plays nothing itself. */
class Clock extends EventTarget {
  src = "";
  currentSrc = "";
  volume = 1;
  muted = false;
  playbackRate = 1;
  readyState = 4;
  seeking = false;
  ended = false;

  constructor(player, durationS) {
    super();
    this.player = player;
    this.duration = durationS;
    for (const type of ["play", "pause", "timeupdate", "seeking", "seeked"]) {
      player.media.addEventListener(type, () => this.dispatchEvent(new Event(type)));
    }
  }

  get currentTime() {
    return this.player.currentTime;
  }

  set currentTime(seconds) {
    this.player.moveTo(seconds);
  }

  get paused() {
    return this.player.media.paused;
  }

  play() {
    return this.player.media.play();
  }

  pause() {
    this.player.media.pause();
  }

  load() {}
  remove() {}
  removeAttribute() {}
  canPlayType() {
    return "";
  }
}

export class Waveform {
  #store;
  #surfer;
  #regions;
  #drawn = new Map();
  #mayEdit;
  #isDragging = false;

  constructor(container, { player, peaks, durationS, store, mayEdit, label }) {
    this.#store = store;
    this.#mayEdit = mayEdit;
    container.hidden = false;
    container.dir = "ltr"; // time runs from left to right
    this.#surfer = WaveSurfer.create({
      container,
      media: new Clock(player, durationS),
      peaks: [peaks.values],
      duration: durationS,
      height: HEIGHT,
      minPxPerSec: PX_PER_SECOND,
      waveColor: "#7d9bb0",
      progressColor: "#0b4a6f",
      cursorColor: "#c2410c",
      cursorWidth: 2,
      autoCenter: false,
      hideScrollbar: false,
    });
    // Whoever works by keyboard scrolls it too.
    const scrolled = this.#surfer.getWrapper().parentElement;
    scrolled.tabIndex = 0;
    scrolled.setAttribute("role", "region");
    scrolled.setAttribute("aria-label", label);
    this.#regions = this.#surfer.registerPlugin(Regions.create());
    this.#regions.on("region-update", () => (this.#isDragging = true));
    this.#regions.on("region-updated", (region) => {
      this.#isDragging = false;
      const fields = { start_ms: Math.round(region.start * 1000), end_ms: Math.round(region.end * 1000) };
      if (fields.end_ms > fields.start_ms) store.apply(change(store.cues, region.id, fields), { selectedId: region.id });
    });
    this.#regions.on("region-clicked", (region) => store.select(region.id));
    this.#surfer.on("ready", () => this.draw());
  }

  /** Show the cues around the selected one; only that one can be dragged. */
  draw() {
    if (this.#isDragging || !this.#surfer.getDuration()) return;
    const { cues, selectedId } = this.#store;
    const at = Math.max(0, cues.findIndex((cue) => cue.id === selectedId));
    const wanted = new Map(cues.slice(Math.max(0, at - AROUND), at + AROUND + 1).map((cue) => [cue.id, cue]));
    for (const [id, { region }] of this.#drawn) {
      if (wanted.has(id)) continue;
      region.remove();
      this.#drawn.delete(id);
    }
    for (const [id, cue] of wanted) {
      const isSelected = id === selectedId;
      const known = this.#drawn.get(id);
      if (known?.cue === cue && known.isSelected === isSelected) continue;
      known?.region.remove();
      const canMove = isSelected && this.#mayEdit;
      const region = this.#regions.addRegion({
        id,
        start: cue.start_ms / 1000,
        end: Math.max(cue.end_ms, cue.start_ms + 10) / 1000,
        color: isSelected ? "rgb(194 65 12 / 25%)" : "rgb(11 74 111 / 12%)",
        drag: canMove,
        resize: canMove,
      });
      this.#drawn.set(id, { region, cue, isSelected });
    }
  }

  /** Bring a moment into view. */
  reveal(ms) {
    const wanted = (ms / 1000) * PX_PER_SECOND;
    const [scroll, width] = [this.#surfer.getScroll(), this.#surfer.getWidth()];
    if (wanted < scroll || wanted > scroll + width - 80) this.#surfer.setScroll(Math.max(0, wanted - width / 4));
  }
}
