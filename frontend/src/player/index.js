// <rostrum-player>: HLS with quality, subtitles and speed menus, previews, keyboard, remembered position.
//
// Inside it stands a plain <video>, which stays where scripts or their features are missing.
import Hls from "hls.js/dist/hls.mjs";
import "hls-video-element";
import "media-chrome";
import "media-chrome/dist/menu/index.js";

import { Captions } from "./captions.js";
import { CaptionsMenu } from "./captions-menu.js";
import { readLabels } from "./labels.js";
import { rememberPosition } from "./position.js";
import { connectTranscript } from "./transcript.js";

const SUBTITLE_ICON = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 5h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2Zm0 2v10h16V7H4Zm2 4h4v2H6v-2Zm6 0h6v2h-6v-2Zm-6 3h7v2H6v-2Zm9 0h3v2h-3v-2Z"/></svg>`;

const CONTROLS = `
  <media-loading-indicator slot="centered-chrome" noautohide></media-loading-indicator>
  <div class="captions" noautohide aria-live="off"></div>
  <media-rendition-menu hidden anchor="auto"></media-rendition-menu>
  <media-playback-rate-menu hidden anchor="auto" rates="0.75 1 1.25 1.5 1.75 2"></media-playback-rate-menu>
  <media-chrome-menu class="captions-menu" hidden></media-chrome-menu>
  <media-time-range></media-time-range>
  <media-control-bar>
    <media-play-button></media-play-button>
    <media-seek-backward-button seekoffset="10"></media-seek-backward-button>
    <media-seek-forward-button seekoffset="10"></media-seek-forward-button>
    <media-mute-button></media-mute-button>
    <media-volume-range></media-volume-range>
    <media-time-display showduration></media-time-display>
    <span class="spacer"></span>
    <media-chrome-menu-button class="captions-button">${SUBTITLE_ICON}</media-chrome-menu-button>
    <media-rendition-menu-button></media-rendition-menu-button>
    <media-playback-rate-menu-button></media-playback-rate-menu-button>
    <media-pip-button></media-pip-button>
    <media-fullscreen-button></media-fullscreen-button>
  </media-control-bar>`;

// Subtitles come as text tracks, so that they can be drawn by us; hls.js need not fetch them a second time.
const HLS_CONFIG = {
  capLevelToPlayerSize: true,
  subtitleStreamController: undefined,
  subtitleTrackController: undefined,
  timelineController: undefined,
};

class RostrumPlayer extends HTMLElement {
  media = null;
  captions = null;

  connectedCallback() {
    if (this.media) return;
    const fallback = this.querySelector("video");
    // Constructed style sheets came with Safari 16.4; older ones play HLS natively in the plain element.
    if (!Hls.isSupported() || !("adoptedStyleSheets" in Document.prototype)) {
      if (fallback?.canPlayType("application/vnd.apple.mpegurl")) fallback.src = this.getAttribute("src");
      return;
    }
    this.labels = readLabels(this);
    this.#build(fallback);
    rememberPosition(this.media, this.getAttribute("remember"));
  }

  get currentTime() {
    return this.media?.currentTime ?? 0;
  }

  /** Go to a moment (seconds) and play on from there. */
  seek(time) {
    this.media.currentTime = time;
    this.media.play().catch(() => {}); // a browser that forbids playing leaves it paused at the right place
  }

  #build(fallback) {
    const controller = document.createElement("media-controller");
    controller.setAttribute("hotkeys", "noc"); // its "c" would show native captions
    controller.setAttribute("dir", "ltr"); // time runs from left to right in players of every language
    controller.setAttribute("aria-label", this.getAttribute("label") ?? "");

    this.media = document.createElement("hls-video");
    this.media.slot = "media";
    this.media.config = HLS_CONFIG;
    this.media.setAttribute("playsinline", "");
    this.media.setAttribute("preload", "metadata");
    if (this.hasAttribute("poster")) this.media.setAttribute("poster", this.getAttribute("poster"));
    for (const track of fallback?.querySelectorAll("track") ?? []) this.media.append(track);
    if (this.hasAttribute("storyboard")) this.media.append(this.#storyboard());

    controller.innerHTML = CONTROLS;
    controller.prepend(this.media);
    fallback?.remove();
    this.append(controller);

    this.captions = new Captions(this.media, controller.querySelector(".captions"));
    const menu = new CaptionsMenu(controller, this.captions, this.labels);
    const offerTracks = () => {
      menu.offer(this.captions.tracks);
      this.captions.selectFirst(this.getAttribute("subtitles"));
    };
    this.captions.addEventListener("tracks", offerTracks);
    offerTracks();
    controller.addEventListener("keyup", (event) => {
      if (event.key === "c" && !event.ctrlKey && !event.metaKey && !event.altKey) this.captions.toggle();
    });
    this.media.setAttribute("src", this.getAttribute("src"));
    this.#watchErrors(controller);
  }

  #storyboard() {
    const track = document.createElement("track");
    track.kind = "metadata";
    track.label = "thumbnails"; // the name by which Media Chrome finds it
    track.src = this.getAttribute("storyboard");
    track.default = true;
    return track;
  }

  /** hls.js tries again by itself; what it gives up on is shown, with the one thing that helps. */
  #watchErrors(controller) {
    let hasRecovered = false;
    const attach = () => {
      this.media.api?.on(Hls.Events.ERROR, (_event, error) => {
        if (!error.fatal) return;
        if (error.type === Hls.ErrorTypes.MEDIA_ERROR && !hasRecovered) {
          hasRecovered = true;
          this.media.api.recoverMediaError();
          return;
        }
        this.#showError(controller);
      });
    };
    // hls-video makes its hls.js instance in a microtask after `src` was set.
    queueMicrotask(() => queueMicrotask(attach));
  }

  #showError(controller) {
    if (controller.querySelector(".player-error")) return;
    const box = document.createElement("div");
    box.className = "player-error";
    box.setAttribute("noautohide", "");
    box.setAttribute("role", "alert");
    const text = document.createElement("p");
    text.textContent = this.labels.failed;
    const button = document.createElement("button");
    button.className = "btn btn-primary";
    button.textContent = this.labels.retry;
    button.addEventListener("click", () => location.reload());
    box.append(text, button);
    box.slot = "centered-chrome";
    controller.append(box);
  }
}

customElements.define("rostrum-player", RostrumPlayer);

const player = document.querySelector("rostrum-player");
if (player?.media) {
  for (const panel of document.querySelectorAll("[data-transcript]")) connectTranscript(panel, player);
}
