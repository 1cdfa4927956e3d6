// <rostrum-uploader>: sends one file in parts, several at once, and goes on where it stopped.
//
// Its markup, with all words, comes from studio/templates/studio/includes/uploader.html. Attributes:
//   data-create-url    where uploads are announced (/api/v1/uploads/)
//   data-hasher-url    the worker that hashes (hasher.js)
//   data-purpose, data-organisation   sent with the announcement
//   data-form, data-field   when the file is stored, its upload's id is put into that field and the form is sent
// Event `rostrum:uploaded` (bubbles, cancelable: then no form is sent), detail: the upload as the API shows it.

import { UploadError, refusal } from "./upload/errors.js";
import { FileHash } from "./upload/hash.js";
import { backoff, pause } from "./upload/pause.js";
import { Sender } from "./upload/sender.js";
import { bytes, duration, fill, number } from "./upload/words.js";

const POLL_MS = [500, 5_000]; // shortest and longest time between questions while the server checks
const SPEED_WINDOW_MS = 15_000;
const DRAW_MS = 250;
const SPOKEN_MS = 10_000; // least time between two announcements of progress to screen readers
const SMALL_PART_BYTES = 2 ** 20; // on slow lines, so that a break costs little

class RostrumUploader extends HTMLElement {
  #file = null;
  #upload = null;
  #hash = null;
  #stop = null; // AbortController of the run, null when paused or idle
  #marks = []; // [time, bytes], for the speed
  #drawn = 0;
  #spoken = 0;
  #tenth = 0;
  #trouble = "";
  #wake = null;
  #title = document.title;

  connectedCallback() {
    this.input = this.querySelector("input[type=file]");
    this.input.addEventListener("change", () => this.input.files.length && this.#begin(this.input.files[0]));
    this.#on("[data-pause]", "click", () => this.#pause());
    this.#on("[data-resume]", "click", () => this.#run());
    this.#on("[data-cancel]", "click", () => this.#cancel());
    const drop = this.querySelector("[data-drop]");
    for (const name of ["dragenter", "dragover"]) {
      drop.addEventListener(name, (event) => {
        event.preventDefault();
        drop.classList.add("is-over");
      });
    }
    for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("is-over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files.length) this.#begin(event.dataTransfer.files[0]);
    });
    this.warn = (event) => this.#stop && event.preventDefault();
    // A phone that slept has let go of the screen.
    this.shown = () => document.visibilityState === "visible" && this.#stop && this.#stayAwake();
    window.addEventListener("beforeunload", this.warn);
    document.addEventListener("visibilitychange", this.shown);
    this.#show("choose");
    this.#tellOfUnfinished();
  }

  disconnectedCallback() {
    window.removeEventListener("beforeunload", this.warn);
    document.removeEventListener("visibilitychange", this.shown);
    this.#stop?.abort();
    this.#hash?.stop();
  }

  // --- The way of a file -------------------------------------------------------------------------------------------

  async #begin(file) {
    if (this.#stop) return;
    this.#file = file;
    this.#upload = null;
    this.#hash?.stop();
    this.#hash = new FileHash(this.dataset.hasherUrl, file);
    this.#tenth = 0;
    this.#text("[data-file-name]", file.name);
    this.#text("[data-file-size]", bytes(file.size));
    await this.#run();
  }

  /** From wherever it stands to the stored file; also after a pause. */
  async #run() {
    const stop = new AbortController();
    this.#stop = stop;
    this.#trouble = "";
    this.#error("");
    this.#show("sending");
    this.querySelector("[data-pause]").focus();
    this.#stayAwake();
    try {
      this.#say(this.dataset.textPreparing);
      this.#upload ??= await this.#patiently(stop.signal, () => this.#findOrAnnounce());
      const done = await this.#sendAndCheck(stop.signal);
      this.#ended(stop);
      this.#finish(done);
    } catch (error) {
      const wasPaused = stop.signal.aborted;
      stop.abort();
      this.#ended(stop);
      if (!wasPaused) this.#fail(error);
    }
  }

  #ended(stop) {
    if (this.#stop !== stop) return;
    this.#stop = null;
    this.#wake?.release().catch(() => {});
    this.#wake = null;
    document.title = this.#title;
  }

  async #findOrAnnounce() {
    const fingerprint = await this.#hash.fingerprint;
    return (await this.#findUnfinished(fingerprint)) ?? (await this.#announce(fingerprint));
  }

  #announce(fingerprint) {
    const { name, size } = this.#file;
    const body = { file_name: name, size, fingerprint, purpose: this.dataset.purpose ?? "" };
    if (this.dataset.organisation) body.organisation = this.dataset.organisation;
    if (isSlow()) body.part_size = SMALL_PART_BYTES;
    // One announcement, however often its answer is lost on the way.
    this.announcement ??= { file: this.#file, key: randomKey() };
    if (this.announcement.file !== this.#file) this.announcement = { file: this.#file, key: randomKey() };
    return this.#api("POST", this.dataset.createUrl, body, { "Idempotency-Key": this.announcement.key });
  }

  /** The upload of this very file that was begun before, in this browser or in another. */
  async #findUnfinished(fingerprint) {
    const open = await this.#unfinished();
    const same = fingerprint
      ? (upload) => upload.fingerprint === fingerprint
      : (upload) => upload.file_name === this.#file.name;
    return open.find((upload) => upload.size === this.#file.size && same(upload));
  }

  async #unfinished() {
    const query = new URLSearchParams({ unfinished: "1", mine: "1", purpose: this.dataset.purpose ?? "" });
    return (await this.#api("GET", `${this.dataset.createUrl}?${query}`)).results;
  }

  async #sendAndCheck(signal) {
    // What still comes in from parts that were stopped must not overwrite "Paused".
    const on = {
      progress: (sent) => signal.aborted || this.#progress(sent),
      trouble: (text) => signal.aborted || this.#setTrouble(text),
    };
    const ask = (method, path, body) => this.#api(method, this.#uploadUrl + path, body);
    const sender = new Sender({ file: this.#file, upload: this.#upload, api: ask, texts: this.#texts, on });
    for (;;) {
      const upload = await this.#patiently(signal, () => ask("GET", ""));
      this.#marks = [];
      if (upload.state === "waiting") await sender.send(upload.received, signal);
      else this.#progress(this.#file.size);
      if (["waiting", "failed"].includes(upload.state)) {
        this.#say(this.dataset.textChecking);
        if (!(await this.#complete(ask, signal))) continue; // parts turned out to be missing
      }
      return await this.#checked(ask, signal);
    }
  }

  async #complete(ask, signal) {
    const sha256 = await this.#hash.sha256.catch(() => {
      throw new UploadError(this.dataset.textUnreadable, { isFinal: true });
    });
    signal.throwIfAborted();
    try {
      await this.#patiently(signal, () => ask("POST", "complete/", { sha256 }));
    } catch (error) {
      if (error.code === "parts_missing") return false;
      throw error;
    }
    return true;
  }

  /** Ask until the file is stored. */
  async #checked(ask, signal) {
    for (let wait = POLL_MS[0]; ; wait = Math.min(POLL_MS[1], 1.5 * wait)) {
      const upload = await this.#patiently(signal, () => ask("GET", ""));
      if (upload.state === "done") return upload;
      if (upload.state === "failed" || upload.state === "cancelled") {
        // With its parts still there (the disk was full, say) going on is enough.
        if (upload.state === "cancelled" || !upload.received.length) this.#upload = null;
        throw new UploadError(upload.error || this.dataset.textRefused, { isFinal: true });
      }
      const activity = upload.error || upload.activity || this.dataset.textChecking;
      this.#visible(upload.progress ? `${activity} · ${number(upload.progress)} %` : activity);
      await pause(wait, signal);
    }
  }

  /** Try until it succeeds or cannot. */
  async #patiently(signal, action) {
    for (let failures = 1; ; failures += 1) {
      signal.throwIfAborted();
      try {
        const answer = await action();
        if (failures > 1) this.#setTrouble("");
        return answer;
      } catch (error) {
        if (signal.aborted || !(error instanceof UploadError) || error.isFinal) throw error;
        this.#setTrouble(error.message);
        await pause(backoff(failures), signal);
      }
    }
  }

  get #texts() {
    const words = this.dataset;
    return {
      offline: words.textOffline,
      full: words.textFull,
      refused: words.textRefused,
      unreadable: words.textUnreadable,
      unreachable: words.textUnreachable,
    };
  }

  get #uploadUrl() {
    return `${this.dataset.createUrl}${this.#upload.id}/`;
  }

  #pause() {
    const stop = this.#stop;
    stop?.abort();
    this.#ended(stop);
    this.#say(this.dataset.textPaused);
    this.#show("paused");
    this.querySelector("[data-resume]").focus();
  }

  async #cancel() {
    const stop = this.#stop;
    stop?.abort();
    this.#ended(stop);
    const upload = this.#upload;
    this.#hash?.stop();
    this.#file = this.#upload = this.#hash = null;
    this.input.value = "";
    this.#show("choose");
    this.input.focus();
    if (upload) await this.#giveUp(upload);
    this.#tellOfUnfinished();
  }

  async #giveUp(upload) {
    try {
      await this.#api("DELETE", `${this.dataset.createUrl}${upload.id}/`);
    } catch {
      // What stays behind, the server removes when the upload expires.
    }
  }

  #finish(upload) {
    this.#progress(this.#file.size);
    this.#hash?.stop();
    this.#say(this.dataset.textDone);
    this.#show("done");
    const event = new CustomEvent("rostrum:uploaded", { bubbles: true, cancelable: true, detail: upload });
    const form = document.getElementById(this.dataset.form ?? "");
    if (!this.dispatchEvent(event) || !form) return;
    form.elements[this.dataset.field].value = upload.id;
    form.requestSubmit();
  }

  /** Keep a phone from sleeping while it sends. */
  async #stayAwake() {
    try {
      this.#wake = (await navigator.wakeLock?.request("screen")) ?? null;
      if (!this.#stop) await this.#wake?.release();
    } catch {
      // Battery saving, or not allowed: the upload goes on after the sleep.
    }
  }

  // --- The way to the server ---------------------------------------------------------------------------------------

  async #api(method, url, body, headers = {}) {
    let response;
    let text;
    try {
      response = await fetch(url, {
        method,
        credentials: "same-origin",
        headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken(), ...headers },
        body: body && JSON.stringify(body),
      });
      text = await response.text();
    } catch {
      throw new UploadError(this.dataset.textOffline);
    }
    if (response.status === 401) throw new UploadError(this.dataset.textSignedOut, { isFinal: true });
    if (!response.ok) throw refusal(response.status, text, this.#texts);
    return text ? JSON.parse(text) : null;
  }

  // --- What people see ---------------------------------------------------------------------------------------------

  /** Show what belongs to a state: elements name theirs in data-when="sending paused". */
  #show(state) {
    for (const element of this.querySelectorAll("[data-when]")) {
      element.hidden = !element.dataset.when.split(" ").includes(state);
    }
  }

  /** A line for each upload that can be gone on with, and a button to give it up. */
  async #tellOfUnfinished() {
    const list = this.querySelector("[data-unfinished]");
    let open = [];
    try {
      open = await this.#unfinished();
    } catch {
      // Only a hint; choosing a file asks again, and says what is wrong.
    }
    const line = this.querySelector("template[data-unfinished-line]").content.firstElementChild;
    list.replaceChildren(
      ...open.slice(0, 5).map((upload) => {
        const item = line.cloneNode(true);
        const percent = number(Math.floor((100 * upload.received.length) / upload.part_count));
        item.querySelector("[data-name]").textContent = upload.file_name;
        item.querySelector("[data-arrived]").textContent = fill(this.dataset.textArrived, { percent });
        const button = item.querySelector("button");
        button.setAttribute("aria-label", fill(this.dataset.textGiveUpNamed, { name: upload.file_name }));
        button.addEventListener("click", async () => {
          button.disabled = true;
          await this.#giveUp(upload);
          await this.#tellOfUnfinished();
          this.input.focus();
        });
        return item;
      }),
    );
    this.querySelector("[data-unfinished-hint]").hidden = !open.length;
  }

  #progress(sent) {
    this.#hash?.sent(sent);
    const total = this.#file.size;
    const now = performance.now();
    const last = this.#marks.at(-1);
    if (!last || now - last[0] >= DRAW_MS) this.#marks.push([now, sent]);
    while (this.#marks.length > 2 && now - this.#marks[0][0] > SPEED_WINDOW_MS) this.#marks.shift();
    if (now - this.#drawn < DRAW_MS && sent < total) return;
    this.#drawn = now;
    const percent = Math.floor((100 * sent) / total);
    this.querySelector("progress").value = percent;
    document.title = `${number(percent)} % · ${this.#title}`;
    const [from, before] = this.#marks[0];
    const speed = now - from > 500 ? (1_000 * (sent - before)) / (now - from) : 0; // bytes per second
    const facts = { percent: number(percent), sent: bytes(sent), total: bytes(total), speed: bytes(speed) };
    const isKnown = speed > 0 && sent < total;
    if (isKnown) facts.left = duration((total - sent) / speed);
    if (!this.#trouble) this.#visible(fill(isKnown ? this.dataset.textSending : this.dataset.textSent, facts));
    // Screen readers hear every tenth, and not more often than people can listen.
    if (Math.floor(percent / 10) > this.#tenth && now - this.#spoken > SPOKEN_MS) {
      this.#tenth = Math.floor(percent / 10);
      this.#spoken = now;
      this.#aloud(fill(isKnown ? this.dataset.textSpoken : this.dataset.textSent, facts));
    }
  }

  /** What hinders just now, or "" when nothing does any more. */
  #setTrouble(text) {
    const isNew = text && text !== this.#trouble;
    this.#trouble = text;
    if (text) this.#visible(text);
    if (isNew) this.#aloud(text);
  }

  #say(text) {
    this.#visible(text);
    this.#aloud(text);
  }

  #visible(text) {
    this.#text("[data-status]", text);
  }

  #aloud(text) {
    this.#text("[data-announce]", text);
  }

  #fail(error) {
    this.#error(error instanceof UploadError ? error.message : this.dataset.textRefused);
    if (!(error instanceof UploadError)) console.error(error);
    this.#visible("");
    this.#show(this.#upload ? "paused" : "choose");
    if (this.#upload) {
      this.querySelector("[data-resume]").focus();
      return;
    }
    this.#hash?.stop();
    this.input.value = ""; // so that choosing the same file again is a change
    this.input.focus();
  }

  #error(text) {
    const place = this.querySelector("[data-error]");
    place.hidden = !text;
    place.textContent = text;
  }

  #text(selector, text) {
    this.querySelector(selector).textContent = text;
  }

  #on(selector, name, action) {
    this.querySelector(selector).addEventListener(name, action);
  }
}

function csrfToken() {
  const field = document.querySelector("[name=csrfmiddlewaretoken]");
  return field?.value ?? document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
}

/** What some browsers know of the line; the others get the usual parts. */
function isSlow() {
  const line = navigator.connection;
  return Boolean(line) && (line.saveData || line.effectiveType !== "4g");
}

// Not randomUUID, which is missing where a site is opened without TLS.
const randomKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16)).join("-");

customElements.define("rostrum-uploader", RostrumUploader);
