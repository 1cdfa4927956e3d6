// <rostrum-uploader>: sends one file in parts, several at once, and goes on where it stopped.
//
// Its markup, with all words, comes from studio/templates/studio/includes/uploader.html. Attributes:
//   data-create-url    where uploads are announced (/api/v1/uploads/)
//   data-purpose, data-organisation   sent with the announcement
//   data-form, data-field   when the file is stored, its upload's id is put into that field and the form is sent
// Event `rostrum:uploaded` (bubbles, cancelable: then no form is sent), detail: the upload as the API shows it.

const PARTS_AT_ONCE = 3;
const LONGEST_WAIT_MS = 30_000;
const POLL_MS = 1_000;
const SPEED_WINDOW_MS = 15_000;

/** What the server or the way to it said no to. `isFinal`: trying again cannot help. */
class UploadError extends Error {
  constructor(message, { isFinal = false, code = "" } = {}) {
    super(message);
    this.isFinal = isFinal;
    this.code = code;
  }
}

class RostrumUploader extends HTMLElement {
  #file = null;
  #upload = null;
  #sent = new Map(); // part number -> bytes of it that have left
  #stop = null; // AbortController of the run, null when paused or idle
  #marks = []; // [time, bytes], for the speed
  #announced = -1;

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
    window.addEventListener("beforeunload", this.warn);
    this.#show("choose");
    this.#tellOfUnfinished();
  }

  disconnectedCallback() {
    window.removeEventListener("beforeunload", this.warn);
    this.#stop?.abort();
  }

  // --- The way of a file -------------------------------------------------------------------------------------------

  async #begin(file) {
    if (this.#stop) return;
    this.#file = file;
    this.#upload = null;
    this.#sent.clear();
    this.#text("[data-file-name]", file.name);
    this.#text("[data-file-size]", bytes(file.size));
    await this.#run();
  }

  /** From wherever it stands to the stored file; also after a pause. */
  async #run() {
    const stop = new AbortController();
    this.#stop = stop;
    this.#error("");
    this.#show("sending");
    try {
      this.#status(this.dataset.textPreparing);
      this.#upload ??= (await this.#findUnfinished(this.#file)) ?? (await this.#announce(this.#file));
      let done = this.#upload;
      do {
        await this.#sendMissing(stop.signal);
        this.#status(this.dataset.textChecking);
        done = await this.#complete(stop.signal);
      } while (done === null);
      this.#stop = null;
      forget(done.id);
      this.#finish(done);
    } catch (error) {
      const wasPaused = stop.signal.aborted;
      if (this.#stop === stop) this.#stop = null;
      stop.abort();
      if (!wasPaused) this.#fail(error);
    }
  }

  #announce(file) {
    const body = { file_name: file.name, size: file.size, purpose: this.dataset.purpose ?? "" };
    if (this.dataset.organisation) body.organisation = this.dataset.organisation;
    return this.#api("POST", this.dataset.createUrl, body).then((upload) => {
      remember(upload.id, file);
      return upload;
    });
  }

  /** The upload of this very file that was begun before, in this browser or, as far as one can tell, in another. */
  async #findUnfinished(file) {
    const open = await this.#unfinished();
    return open.find((upload) => {
      if (upload.size !== file.size) return false;
      const known = remembered(upload.id);
      return known ? known.name === file.name && known.changed === file.lastModified : upload.file_name === file.name;
    });
  }

  async #unfinished() {
    const query = new URLSearchParams({ open: "1", mine: "1", purpose: this.dataset.purpose ?? "" });
    return (await this.#api("GET", `${this.dataset.createUrl}?${query}`)).results;
  }

  async #tellOfUnfinished() {
    try {
      const [first] = await this.#unfinished();
      if (first && !this.#file) this.#text("[data-unfinished]", fill(this.dataset.textUnfinished, { name: first.file_name }));
    } catch {
      // Only a hint; choosing a file asks again, and says what is wrong.
    }
  }

  async #sendMissing(signal) {
    const upload = await this.#patiently(signal, () => this.#api("GET", this.#uploadUrl));
    const received = new Set(upload.received);
    const missing = [];
    this.#sent.clear();
    for (let number = 1; number <= upload.part_count; number += 1) {
      if (received.has(number)) this.#sent.set(number, this.#part(number).size);
      else missing.push(number);
    }
    this.#marks = [];
    this.#progress();
    const worker = async () => {
      while (missing.length) await this.#sendPart(missing.shift(), signal);
    };
    await Promise.all(Array.from({ length: PARTS_AT_ONCE }, worker));
  }

  #part(number) {
    const size = this.#upload.part_size;
    return this.#file.slice((number - 1) * size, number * size);
  }

  async #sendPart(number, signal) {
    await this.#patiently(signal, async () => {
      const address = await this.#api("GET", `${this.#uploadUrl}parts/${number}/`);
      await this.#put(address, this.#part(number), number, signal);
    });
    this.#sent.set(number, this.#part(number).size);
    this.#progress();
  }

  /** PUT with progress, which `fetch` does not tell. */
  #put(address, body, number, signal) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      const abort = () => request.abort();
      const settle = (action, value) => {
        signal.removeEventListener("abort", abort);
        action(value);
      };
      request.open(address.method, address.url);
      for (const [name, value] of Object.entries(address.headers)) request.setRequestHeader(name, value);
      request.upload.addEventListener("progress", (event) => {
        this.#sent.set(number, event.loaded);
        this.#progress();
      });
      request.addEventListener("load", () => {
        if (request.status >= 200 && request.status < 300) settle(resolve);
        else settle(reject, refusal(request.status, request.responseText, this.dataset.textRefused));
      });
      request.addEventListener("error", async () => {
        this.#sent.set(number, 0);
        const canRead = await body.slice(0, 1).arrayBuffer().then(() => true, () => false);
        settle(
          reject,
          canRead
            ? new UploadError(this.dataset.textOffline)
            : new UploadError(this.dataset.textUnreadable, { isFinal: true }),
        );
      });
      request.addEventListener("abort", () => settle(reject, new UploadError("", { isFinal: true })));
      signal.addEventListener("abort", abort);
      if (signal.aborted) settle(reject, new UploadError("", { isFinal: true }));
      else request.send(body);
    });
  }

  /** Complete, then ask until the file is stored. Returns null if parts turned out to be missing. */
  async #complete(signal) {
    try {
      await this.#patiently(signal, () => this.#api("POST", `${this.#uploadUrl}complete/`));
    } catch (error) {
      if (error.code === "parts_missing") return null;
      throw error;
    }
    for (;;) {
      const upload = await this.#patiently(signal, () => this.#api("GET", this.#uploadUrl));
      if (upload.state === "done") return upload;
      if (upload.state === "failed" || upload.state === "cancelled") {
        this.#upload = null;
        throw new UploadError(upload.error || this.dataset.textRefused, { isFinal: true });
      }
      await pause(POLL_MS, signal);
    }
  }

  /** Try until it succeeds or cannot: waiting longer each time, but not while the browser knows that it is offline. */
  async #patiently(signal, action) {
    for (let attempt = 0; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await action();
      } catch (error) {
        if (signal.aborted || error.isFinal || !(error instanceof UploadError)) throw error;
        this.#status(error.message);
        await pause(Math.min(LONGEST_WAIT_MS, 1_000 * 2 ** attempt) * (0.75 + Math.random() / 2), signal);
      }
    }
  }

  get #uploadUrl() {
    return `${this.dataset.createUrl}${this.#upload.id}/`;
  }

  #pause() {
    this.#stop?.abort();
    this.#stop = null;
    this.#status(this.dataset.textPaused);
    this.#show("paused");
    this.querySelector("[data-resume]").focus();
  }

  async #cancel() {
    this.#stop?.abort();
    this.#stop = null;
    const upload = this.#upload;
    this.#file = this.#upload = null;
    this.input.value = "";
    this.#text("[data-unfinished]", "");
    this.#show("choose");
    this.input.focus();
    if (!upload) return;
    forget(upload.id);
    try {
      await this.#api("DELETE", `${this.dataset.createUrl}${upload.id}/`);
    } catch {
      // What stays behind, the server removes when the upload expires.
    }
  }

  #finish(upload) {
    this.#progress();
    this.#status(this.dataset.textDone);
    this.#show("done");
    const event = new CustomEvent("rostrum:uploaded", { bubbles: true, cancelable: true, detail: upload });
    const form = document.getElementById(this.dataset.form ?? "");
    if (!this.dispatchEvent(event) || !form) return;
    form.elements[this.dataset.field].value = upload.id;
    form.requestSubmit();
  }

  // --- The way to the server ---------------------------------------------------------------------------------------

  async #api(method, url, body) {
    let response;
    try {
      response = await fetch(url, {
        method,
        credentials: "same-origin",
        headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
        body: body && JSON.stringify(body),
      });
    } catch {
      throw new UploadError(this.dataset.textOffline);
    }
    const text = await response.text();
    if (!response.ok) throw refusal(response.status, text, this.dataset.textRefused);
    return text ? JSON.parse(text) : null;
  }

  // --- What people see ---------------------------------------------------------------------------------------------

  /** Show what belongs to a state: elements name theirs in data-when="sending paused". */
  #show(state) {
    for (const element of this.querySelectorAll("[data-when]")) {
      element.hidden = !element.dataset.when.split(" ").includes(state);
    }
  }

  #progress() {
    const total = this.#file.size;
    const done = [...this.#sent.values()].reduce((sum, size) => sum + size, 0);
    const now = performance.now();
    this.#marks.push([now, done]);
    while (this.#marks.length > 2 && now - this.#marks[0][0] > SPEED_WINDOW_MS) this.#marks.shift();
    const percent = Math.floor((100 * done) / total);
    this.querySelector("progress").value = percent;
    const [from, before] = this.#marks[0];
    const speed = now - from > 500 ? (1_000 * (done - before)) / (now - from) : 0; // bytes per second
    const facts = { percent: number(percent), sent: bytes(done), total: bytes(total), speed: bytes(speed) };
    if (speed > 0 && done < total) {
      this.#visible(fill(this.dataset.textSending, { ...facts, left: duration((total - done) / speed) }));
    } else {
      this.#visible(fill(this.dataset.textSent, facts));
    }
    // Screen readers hear every tenth, not every change.
    if (Math.floor(percent / 10) !== this.#announced) {
      this.#announced = Math.floor(percent / 10);
      this.#text("[data-announce]", fill(this.dataset.textSent, facts));
    }
  }

  #status(text) {
    this.#visible(text);
    this.#text("[data-announce]", text);
  }

  #visible(text) {
    this.#text("[data-status]", text);
  }

  #fail(error) {
    this.#error(error instanceof UploadError ? error.message : this.dataset.textRefused);
    if (!(error instanceof UploadError)) console.error(error);
    this.#show(this.#upload ? "paused" : "choose");
    if (!this.#upload) this.input.value = "";
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

/** An answer that is not a success, in the server's own words if it has some (RFC 9457, or S3's XML). */
function refusal(status, text, otherwise) {
  let problem = {};
  try {
    problem = JSON.parse(text);
  } catch {
    // Not ours: a proxy's page or S3's XML.
  }
  // 403 of a part is an address that grew old; a new one is asked for. 408, 429 and 5xx pass.
  const mayPass = status >= 500 || [408, 425, 429].includes(status) || (status === 403 && problem.code === undefined);
  const isOldAddress = problem.code === "address_expired" || problem.code === "cut_off";
  return new UploadError(problem.title || otherwise, { isFinal: !mayPass && !isOldAddress, code: problem.code });
}

function csrfToken() {
  const field = document.querySelector("[name=csrfmiddlewaretoken]");
  return field?.value ?? document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
}

/** Wait; shorter when the browser comes online again, and not at all once stopped. */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const end = (action) => () => {
      clearTimeout(timer);
      window.removeEventListener("online", onOnline);
      signal.removeEventListener("abort", onAbort);
      action();
    };
    const onOnline = end(resolve);
    const onAbort = end(() => reject(signal.reason));
    const timer = setTimeout(end(resolve), milliseconds);
    window.addEventListener("online", onOnline);
    signal.addEventListener("abort", onAbort);
  });
}

// Which file an upload was begun with: a name and a size alone do not tell two versions of a recording apart.
const key = (id) => `rostrum-upload-${id}`;

function remember(id, file) {
  try {
    localStorage.setItem(key(id), JSON.stringify({ name: file.name, changed: file.lastModified }));
  } catch {
    // Private windows may have no storage; resuming then goes by name and size.
  }
}

function remembered(id) {
  try {
    return JSON.parse(localStorage.getItem(key(id)));
  } catch {
    return null;
  }
}

function forget(id) {
  try {
    localStorage.removeItem(key(id));
  } catch {
    // Nothing was remembered.
  }
}

const language = () => document.documentElement.lang || undefined;
const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (_all, name) => facts[name]);
const number = (value) => new Intl.NumberFormat(language()).format(value);

function bytes(value) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  const format = { style: "unit", unit: units[step], unitDisplay: step ? "short" : "long", maximumFractionDigits: step ? 1 : 0 };
  return new Intl.NumberFormat(language(), format).format(value / 1_000 ** step);
}

function duration(seconds) {
  const [value, unit] =
    seconds < 90 ? [seconds, "second"] : seconds < 5_400 ? [seconds / 60, "minute"] : [seconds / 3_600, "hour"];
  const format = { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: unit === "hour" ? 1 : 0 };
  return new Intl.NumberFormat(language(), format).format(Math.max(1, value));
}

customElements.define("rostrum-uploader", RostrumUploader);
