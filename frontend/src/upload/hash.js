const AHEAD_BYTES = 256 * 2 ** 20; // reads little more than what is sent, so that both find it in memory

/** The SHA-256 and a fingerprint of a file, found out beside the sending (../hasher.js).
 *
 * Both are promises. Without a worker (an old browser, a policy) they give "", and the server alone checks. */
export class FileHash {
  #worker = null;

  constructor(url, file) {
    this.fingerprint = new Promise((resolve) => (this.#onFingerprint = resolve));
    this.sha256 = new Promise((resolve, reject) => {
      this.#onHash = resolve;
      this.#onUnreadable = reject;
    });
    this.sha256.catch(() => {}); // looked at when all parts are sent
    try {
      this.#worker = new Worker(url);
      this.#worker.addEventListener("message", ({ data }) => this.#take(data));
      this.#worker.addEventListener("error", () => this.#giveUp());
      this.#worker.postMessage({ file });
      this.sent(0);
    } catch {
      this.#giveUp();
    }
  }

  #onFingerprint;
  #onHash;
  #onUnreadable;

  /** So many bytes have left. */
  sent(count) {
    this.#worker?.postMessage({ allow: count + AHEAD_BYTES });
  }

  stop() {
    this.#worker?.terminate();
    this.#giveUp();
  }

  #take(data) {
    if (data.fingerprint) this.#onFingerprint(data.fingerprint);
    if (data.sha256) this.#onHash(data.sha256);
    if (data.error === "unreadable") this.#onUnreadable(new DOMException("", "NotReadableError"));
    if (data.error) this.#giveUp();
  }

  #giveUp() {
    this.#onFingerprint("");
    this.#onHash("");
  }
}
