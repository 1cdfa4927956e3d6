// Sends the parts of one file that the server does not have yet: several at once, patiently, in constant memory.

import { UploadError, refusal } from "./errors.js";
import { Lanes } from "./lanes.js";
import { backoff, pause } from "./pause.js";

const STALLED_MS = 60_000; // no byte has left and no answer has come
const ADDRESSES_AT_ONCE = 20;
const ADDRESS_LIFE_MS = 5 * 3_600_000; // the server promises six hours
const REFUSALS = 5; // of one part, one after another, until it is no passing trouble

export class Sender {
  #lanes = new Lanes();
  #addresses = new Map(); // part number -> { address, until }
  #asking = null; // the question for addresses that is on its way
  #refused = new Map(); // part number -> how often
  #partial = new Map(); // part number -> bytes of it that have left
  #whole = 0; // bytes of parts that have arrived

  /** `api(method, path, body)` asks our server about this upload. `on.progress(bytes)`, `on.trouble(text)`. */
  constructor({ file, upload, api, texts, on }) {
    this.file = file;
    this.upload = upload;
    this.api = api;
    this.texts = texts;
    this.on = on;
  }

  /** Send what is missing. Throws an UploadError that is final, or what `signal` was aborted with. */
  async send(received, signal) {
    const arrived = new Set(received);
    const missing = [];
    this.#whole = 0;
    this.#partial.clear();
    for (let number = 1; number <= this.upload.part_count; number += 1) {
      if (arrived.has(number)) this.#whole += this.#part(number).size;
      else missing.push(number);
    }
    this.#tell();
    // Of its own, so that one final refusal stops the other parts too.
    const stop = new AbortController();
    const forward = () => stop.abort(signal.reason);
    signal.addEventListener("abort", forward);
    if (signal.aborted) forward();
    const running = new Set();
    try {
      await this.#keepSending(missing, running, stop.signal);
    } finally {
      stop.abort(new UploadError("", { isFinal: true }));
      await Promise.allSettled(running);
      signal.removeEventListener("abort", forward);
    }
  }

  async #keepSending(missing, running, signal) {
    let failures = 0;
    while (missing.length || running.size) {
      while (missing.length && running.size < this.#lanes.count) {
        const number = missing.shift();
        const sending = this.#sendPart(number, missing, signal).then(
          () => ({ sending, number }),
          (error) => ({ sending, number, error }),
        );
        running.add(sending);
      }
      const { sending, number, error } = await Promise.race(running);
      running.delete(sending);
      signal.throwIfAborted();
      if (!error) {
        if (failures) this.on.trouble("");
        failures = 0;
        continue;
      }
      if (!(error instanceof UploadError) || error.isFinal) throw error;
      missing.unshift(number);
      failures += 1;
      this.#lanes.failed();
      this.on.trouble(error.message);
      await pause(backoff(failures), signal);
    }
  }

  async #sendPart(number, next, signal) {
    const body = this.#part(number);
    const address = await this.#address(number, next);
    try {
      await this.#put(address, body, number, signal);
    } catch (error) {
      this.#addresses.delete(number);
      this.#partial.delete(number);
      this.#tell();
      if (!signal.aborted && !(await canRead(body))) {
        throw new UploadError(this.texts.unreadable, { isFinal: true });
      }
      throw this.#judged(error, number, address);
    }
    this.#refused.delete(number);
    this.#partial.delete(number);
    this.#whole += body.size;
    this.#lanes.arrived(body.size, performance.now());
    this.#tell();
  }

  /** The same refusal again and again is final; a store that is never reached while we are has another reason. */
  #judged(error, number, address) {
    const count = (this.#refused.get(number) ?? 0) + 1;
    this.#refused.set(number, count);
    if (count < REFUSALS) return error;
    const store = new URL(address.url, location.href);
    if (error.isRefusal && !error.code) return new UploadError(this.texts.refused, { isFinal: true });
    if (!error.isRefusal && store.origin !== location.origin) {
      return new UploadError(this.texts.unreachable.replace("{host}", store.host));
    }
    return error;
  }

  #part(number) {
    const size = this.upload.part_size;
    return this.file.slice((number - 1) * size, number * size);
  }

  /** Where a part goes. Addresses are asked for many at a time, ahead of need. */
  async #address(number, next) {
    for (;;) {
      const known = this.#addresses.get(number);
      if (known && known.until > Date.now()) return known.address;
      this.#asking ??= this.#ask([number, ...next.slice(0, ADDRESSES_AT_ONCE - 1)]).finally(() => (this.#asking = null));
      await this.#asking;
    }
  }

  async #ask(numbers) {
    const until = Date.now() + ADDRESS_LIFE_MS;
    for (const address of await this.api("GET", `parts/?numbers=${numbers.join(",")}`)) {
      this.#addresses.set(address.number, { address, until });
    }
  }

  /** PUT with progress, which `fetch` does not tell. */
  #put(address, body, number, signal) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      const lost = () => new UploadError(this.texts.offline);
      let timer = 0;
      const abort = () => request.abort();
      const settle = (action, value) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
        action(value);
      };
      const watch = () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          settle(reject, lost());
          request.abort();
        }, STALLED_MS);
      };
      request.open(address.method, address.url);
      for (const [name, value] of Object.entries(address.headers)) request.setRequestHeader(name, value);
      request.upload.addEventListener("progress", (event) => {
        watch();
        this.#partial.set(number, event.loaded);
        this.#tell();
      });
      request.addEventListener("load", () => {
        if (request.status >= 200 && request.status < 300) settle(resolve);
        else settle(reject, refusal(request.status, request.responseText, this.texts));
      });
      request.addEventListener("error", () => settle(reject, lost()));
      request.addEventListener("abort", () => settle(reject, lost()));
      signal.addEventListener("abort", abort);
      if (signal.aborted) {
        settle(reject, lost());
        return;
      }
      watch();
      request.send(body);
    });
  }

  #tell() {
    let left = this.#whole;
    for (const size of this.#partial.values()) left += size;
    this.on.progress(left);
  }
}

const canRead = (body) => body.slice(0, 1).arrayBuffer().then(() => true, () => false);
