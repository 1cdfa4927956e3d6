const MOST = 5; // browsers open six connections to a host, and one must stay free for questions
const SETTLED_PARTS = 24; // after a try that brought nothing, look again this much later

/** How many parts to send at once: one more while that makes the whole faster, half as many after a failure. */
export class Lanes {
  count = 2;
  #rate = 0; // bytes per millisecond with the count before
  #grew = false;
  #rest = 0; // parts until the next try
  #since = 0;
  #bytes = 0;
  #parts = 0;

  /** A part of that many bytes has arrived. */
  arrived(size, now) {
    if (!this.#since) this.#begin(now);
    this.#bytes += size;
    this.#parts += 1;
    if (this.#rest > 0) this.#rest -= 1;
    if (this.#parts < 2 * this.count || now <= this.#since) return;
    const rate = this.#bytes / (now - this.#since);
    if (this.#grew && rate < 1.05 * this.#rate) {
      this.count -= 1;
      this.#grew = false;
      this.#rest = SETTLED_PARTS;
    } else if (!this.#rest && this.count < MOST) {
      this.count += 1;
      this.#grew = true;
      this.#rate = rate;
    } else {
      this.#grew = false;
    }
    this.#begin(now);
  }

  failed() {
    this.count = Math.max(1, Math.floor(this.count / 2));
    this.#grew = false;
    this.#rest = SETTLED_PARTS;
    this.#since = 0;
  }

  #begin(now) {
    this.#since = now;
    this.#bytes = this.#parts = 0;
  }
}
