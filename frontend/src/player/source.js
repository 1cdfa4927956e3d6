// Where the pictures and the sound come from: hls.js, the browser's own HLS, or one MP4 file. Keeps them coming when a
// grant ends, the line breaks or new qualities are ready.
import { read, write } from "./position.js";

const QUALITY = "rostrum.quality";
const SOUND = "rostrum.sound";
const BANDWIDTH = "rostrum.bandwidth";
const POLL_MS = [10_000, 60_000]; // for new qualities: at first, at most
const RETRY_MS = [2000, 30_000]; // after a lost connection
const REFUSED = [401, 403, 404, 410]; // the grant has ended, the file was replaced, or the right is gone

/** Events: `levels`, `sounds` (menus must be drawn anew), `grown` (new qualities), `problem` with `detail` "offline",
 * "withdrawn", "failed" or "unsupported", `fine` when a problem is over, `base` when the grant is a new one. */
export class Source extends EventTarget {
  #video;
  #options;
  #hls = null;
  #module = null;
  #preparing = null;
  #isStarted = false;
  #startS = -1;
  #text = ""; // of the master playlist as last polled
  #problem = "";
  #retryMs = RETRY_MS[0];
  #retryTimer = 0;
  #renewing = null;
  #placeS = 0; // where it is, or was before the source was lost
  #isResetting = false;
  #recoveredAtS = Number.NaN;

  /** @param options `base`, `package`, `renew`, `engine` (addresses), `fallback` (an MP4's address or ""), `isBuilding` */
  constructor(video, options) {
    super();
    this.#video = video;
    this.#options = { ...options };
    this.kind = kindOf(video, options.fallback);
    this.#keepPlace();
    if (this.kind !== "hls") video.addEventListener("error", () => this.#onNativeError());
    addEventListener("online", () => this.#problem === "offline" && this.#retry());
    if (options.isBuilding && this.kind === "hls") this.#poll(POLL_MS[0]);
  }

  get base() {
    return this.#options.base;
  }

  /** Fetch the program that plays HLS, and the list of qualities; nothing of the recording itself yet. */
  prepare() {
    this.#preparing ??= this.#prepare();
    return this.#preparing;
  }

  /** Load from a moment on (seconds). */
  async start(atS) {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#startS = atS > 0 ? atS : -1;
    await this.prepare();
    if (this.kind !== "hls") return this.#startNative(atS);
    if (!this.#hls) return; // said already
    if (this.#video.paused) this.#loadLittle();
    if (this.#hls.levels.length) this.#hls.startLoad(this.#startS);
  }

  get isStarted() {
    return this.#isStarted;
  }

  async #prepare() {
    if (this.kind !== "hls") return;
    try {
      this.#module = await import(this.#options.engine);
    } catch {
      // The line broke, or a new version was installed since the page was loaded.
      this.#preparing = null;
      this.#isStarted = false;
      this.#report("failed");
      return;
    }
    const Hls = this.#module.default;
    const hls = new Hls({
      autoStartLoad: false,
      fLoader: this.#module.ExactRangeLoader,
      capLevelToPlayerSize: true,
      maxBufferLength: 45,
      backBufferLength: 60,
      abrEwmaDefaultEstimate: Number(read(BANDWIDTH)) || 700_000,
      // Addresses in playlists that were fetched under an earlier grant are asked for under the present one.
      xhrSetup: (xhr, url) => xhr.open("GET", this.#current(url), true),
    });
    this.#hls = hls;
    const { Events } = Hls;
    hls.on(Events.MANIFEST_PARSED, () => this.#onManifest());
    hls.on(Events.LEVELS_UPDATED, () => this.#tell("levels"));
    hls.on(Events.LEVEL_SWITCHED, () => this.#tell("levels"));
    hls.on(Events.AUDIO_TRACKS_UPDATED, () => this.#chooseSound());
    hls.on(Events.AUDIO_TRACK_SWITCHED, () => this.#tell("sounds"));
    hls.on(Events.FRAG_BUFFERED, () => this.#onProgress());
    hls.on(Events.ERROR, (_event, error) => this.#onError(error));
    this.#resumeAfterReset(hls, Events);
    this.#video.preload = "metadata"; // "none" may keep a media source from opening
    this.#playOn(() => {
      hls.attachMedia(this.#video);
      hls.loadSource(`${this.base}master.m3u8`);
    });
  }

  /** A browser that could not decode something is given a new media source by hls.js. For that it goes back to the
   * beginning and pauses, without the events that tell of a person's doing so. */
  #resumeAfterReset(hls, Events) {
    let isWanted = !this.#video.paused;
    this.#video.addEventListener("play", () => (isWanted = true));
    this.#video.addEventListener("pause", () => (isWanted = false));
    hls.on(Events.MEDIA_ATTACHED, () => {
      if (!this.#isResetting) return;
      if (this.#isStarted && hls.levels.length) hls.startLoad(this.#place);
      if (isWanted) this.#video.play().catch(() => {});
    });
  }

  /** Remember where it is also while the video has no source. */
  #keepPlace() {
    const video = this.#video;
    video.addEventListener("emptied", () => (this.#isResetting = true));
    video.addEventListener("loadeddata", () => (this.#isResetting = false));
    for (const name of ["timeupdate", "seeking"]) {
      video.addEventListener(name, () => {
        if (video.readyState && !this.#isResetting) this.#placeS = video.currentTime;
      });
    }
  }

  get #place() {
    return this.#placeS || this.#startS;
  }

  /** Do what gives the video another source, after which browsers pause it, and play on if it played. */
  #playOn(change) {
    const wasPlaying = !this.#video.paused;
    change();
    if (wasPlaying) this.#video.play().catch(() => {});
  }

  /** Only the picture at the place, until somebody wants to see more. */
  #loadLittle() {
    const { config } = this.#hls;
    const usual = { maxBufferLength: config.maxBufferLength, maxBufferSize: config.maxBufferSize };
    Object.assign(config, { maxBufferLength: 1, maxBufferSize: 1 });
    this.#video.addEventListener("play", () => Object.assign(config, usual), { once: true });
  }

  #onManifest() {
    const wanted = Number(read(QUALITY));
    if (wanted) this.quality = this.#hls.levels.some((level) => level.height === wanted) ? wanted : 0;
    if (this.#isStarted) this.#hls.startLoad(this.#startS);
    this.#tell("levels");
  }

  /** Fix the quality that the viewer chose, if it is there and not fixed already. */
  #keepWish() {
    const wanted = Number(read(QUALITY));
    if (wanted && this.quality !== wanted && this.qualities.includes(wanted)) this.quality = wanted;
  }

  #startNative(atS) {
    const video = this.#video;
    this.#playOn(() => {
      video.src = this.kind === "native" ? `${this.base}master.m3u8` : this.#current(this.#options.fallback);
    });
    if (atS > 0) video.addEventListener("loadedmetadata", () => (video.currentTime = atS), { once: true });
  }

  // --- What can be chosen --------------------------------------------------------------------------------------------

  /** Heights of the pictures that can be chosen, the highest first. */
  get qualities() {
    return [...new Set((this.#hls?.levels ?? []).map((level) => level.height))].filter(Boolean).sort((a, b) => b - a);
  }

  /** The height that the viewer fixed, or 0 for automatic. */
  get quality() {
    if (!this.#hls || this.#hls.autoLevelEnabled) return 0;
    return this.#hls.levels[this.#hls.manualLevel]?.height ?? 0;
  }

  set quality(height) {
    const level = this.#hls.levels.findLastIndex((one) => one.height === height);
    this.#hls.nextLevel = height ? level : -1;
    this.#tell("levels");
  }

  choose(height) {
    write(QUALITY, height ? String(height) : null);
    this.quality = height;
  }

  /** The height shown now, or 0. */
  get shown() {
    return this.#hls?.levels[this.#hls.currentLevel]?.height ?? 0;
  }

  /** Languages of the sound: [{id, name, language}]; native HLS names them in the video element. */
  get sounds() {
    if (this.#hls) return this.#hls.audioTracks.map(({ name, lang }, id) => ({ id, name, language: lang ?? "" }));
    return [...(this.#video.audioTracks ?? [])].map(({ label, language }, id) => ({ id, name: label, language }));
  }

  get sound() {
    if (this.#hls) return this.#hls.audioTrack;
    return [...(this.#video.audioTracks ?? [])].findIndex((track) => track.enabled);
  }

  chooseSound(id) {
    const chosen = this.sounds[id];
    if (!chosen) return;
    write(SOUND, chosen.language || null);
    this.#setSound(id);
  }

  #setSound(id) {
    if (this.#hls) this.#hls.audioTrack = id;
    else [...(this.#video.audioTracks ?? [])].forEach((track, number) => (track.enabled = number === id));
    this.#tell("sounds");
  }

  #chooseSound() {
    const wanted = read(SOUND);
    const id = wanted ? this.sounds.findIndex((sound) => sound.language === wanted) : -1;
    if (id >= 0 && id !== this.sound) this.#setSound(id);
    this.#tell("sounds");
  }

  // --- New qualities -------------------------------------------------------------------------------------------------

  async #poll(afterMs) {
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    const later = () => this.#poll(Math.min(afterMs * 1.5, POLL_MS[1]));
    if (document.hidden || this.#problem) return later();
    let answer;
    try {
      answer = await fetch(`${this.base}master.m3u8`, { cache: "no-cache" });
    } catch {
      return later();
    }
    if (!answer.ok) return later(); // whoever is watching learns of it from the player itself
    this.#grow(await answer.text(), answer.url);
    if (answer.headers.get("Rostrum-Package") === "building") later();
    else this.#options.isBuilding = false;
  }

  #grow(text, url) {
    if (text === this.#text || !this.#hls?.levels.length) return;
    this.#text = text;
    if (!this.#module.addLevels(this.#hls, text, url)) return;
    this.#keepWish();
    this.#tell("levels");
    this.#tell("grown");
  }

  // --- Problems ------------------------------------------------------------------------------------------------------

  #onError(error) {
    const { ErrorTypes } = this.#module.default;
    if (REFUSED.includes(error.response?.code)) return this.#renew(error.fatal);
    if (!error.fatal) return;
    if (error.type === ErrorTypes.NETWORK_ERROR) return this.#goOffline();
    if (error.type === ErrorTypes.MEDIA_ERROR && !this.#isStuck()) {
      return this.#hls.recoverMediaError();
    }
    this.#hls.stopLoad();
    this.#report("failed");
  }

  /** True if nothing was played since the last error; sound that still arrives says nothing about the pictures. */
  #isStuck() {
    const isStuck = Math.abs(this.#placeS - this.#recoveredAtS) < 1;
    this.#recoveredAtS = this.#placeS;
    return isStuck;
  }

  #onNativeError() {
    if (!this.#isStarted) return;
    const { error } = this.#video;
    if (error?.code === MediaError.MEDIA_ERR_DECODE && this.#isStuck()) return this.#report("failed");
    this.#renew(true);
  }

  #goOffline() {
    this.#report("offline");
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#retry(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS[1]);
  }

  #retry() {
    clearTimeout(this.#retryTimer);
    if (!this.#hls) return this.#renew(true);
    if (!this.#hls.levels.length) return this.#hls.loadSource(`${this.base}master.m3u8`);
    this.#forgive();
    this.#hls.startLoad(this.#place);
  }

  /** Let hls.js try levels again that it gave up for their errors. */
  #forgive() {
    for (const level of this.#hls.levels) level.fragmentError = level.loadError = 0;
  }

  #onProgress() {
    this.#retryMs = RETRY_MS[0];
    write(BANDWIDTH, String(Math.round(this.#hls.bandwidthEstimate)));
    if (this.#problem === "offline") this.#report("");
  }

  /** Fetch a new grant and go on at the same place. */
  #renew(isStopped) {
    this.#renewing ??= this.#fetchGrant(isStopped).finally(() => (this.#renewing = null));
    return this.#renewing;
  }

  async #fetchGrant(isStopped) {
    let answer;
    try {
      answer = await fetch(this.#options.renew, { cache: "no-store", headers: { Accept: "application/json" } });
    } catch {
      return this.#goOffline();
    }
    if (answer.status === 404 || answer.status === 403) {
      this.#hls?.stopLoad();
      return this.#report("withdrawn");
    }
    const fresh = answer.ok ? await answer.json() : {};
    if (!fresh.base) return this.#goOffline();
    const isSame = fresh.package === this.#options.package;
    // The same grant again was refused: the file behind it is gone, so that only the new playlists help.
    const isNew = fresh.base !== this.base;
    Object.assign(this.#options, fresh);
    this.#tell("base");
    if (this.kind !== "hls") return this.#startNative(this.#place);
    if (isSame && isNew && this.#hls.levels.length) {
      this.#forgive();
      this.#keepWish(); // hls.js gave it up when its files were refused
      this.#hls.startLoad(this.#place);
    } else if (isStopped) this.#reload();
  }

  /** Begin again with the playlists of now, at the same place. */
  #reload() {
    this.#startS = this.#place;
    this.#playOn(() => this.#hls.loadSource(`${this.base}master.m3u8`));
  }

  #report(problem) {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.dispatchEvent(new CustomEvent(problem ? "problem" : "fine", { detail: problem }));
  }

  #current(url) {
    return url.replace(/\/playback\/[^/]+\//, this.base);
  }

  #tell(what) {
    this.dispatchEvent(new Event(what));
  }
}

/** How this browser can play: "hls" (hls.js), "native" (its own HLS), "file" (one MP4), or "" not at all. */
export function kindOf(video, fallback) {
  // hls.js first: Chromium answers "maybe" for HLS that it does not play well.
  const source = self.ManagedMediaSource ?? self.MediaSource;
  if (source?.isTypeSupported?.('video/mp4; codecs="avc1.42E01E,mp4a.40.2"')) return "hls";
  if (video.canPlayType("application/vnd.apple.mpegurl")) return "native";
  return fallback ? "file" : "";
}
