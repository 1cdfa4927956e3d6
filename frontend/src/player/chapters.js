// Chapters from the media's chapters track; Media Chrome marks them in the seek bar by itself.

export class Chapters extends EventTarget {
  #player;
  #track = null;

  constructor(player, element) {
    super();
    this.#player = player;
    if (!element) return;
    this.#track = element.track;
    this.#track.mode = "hidden"; // so that the browser fetches it
    element.addEventListener("load", () => this.dispatchEvent(new Event("change")));
  }

  /** [{start, title}] in seconds. */
  get list() {
    return [...(this.#track?.cues ?? [])].map((cue) => ({ start: cue.startTime, title: cue.text }));
  }

  get current() {
    const now = this.#player.media.currentTime + 0.25;
    return this.list.findLastIndex((chapter) => chapter.start <= now);
  }

  /** To the next chapter, or back: to the beginning of this one, or of the one before if it has just begun. */
  step(by) {
    const { list, current } = this;
    if (!list.length) return;
    const isLate = by < 0 && current >= 0 && this.#player.media.currentTime - list[current].start > 3;
    const target = list[isLate ? current : current + by];
    if (target) this.#player.moveTo(target.start);
    else if (by < 0) this.#player.moveTo(0);
  }
}
