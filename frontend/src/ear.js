// <rostrum-ear>: plays a recording and an interpreter's channel together, to hear whether they fit.
//
// Its markup, with all words, comes from studio/recording/channel.html. The excerpt of the channel is longer than the
// recording's, so it can be moved while it plays. The offset is the field `offset_s` of the form #channel-offset.

const FADE_S = 0.02;

class RostrumEar extends HTMLElement {
  #context = null;
  #sounds = new Map(); // address -> promise of an AudioBuffer
  #playing = null; // { button, startedAt, main, channel }: the moment of the context at which the place begins

  connectedCallback() {
    this.form = document.getElementById("channel-offset");
    this.field = this.form?.elements.offset_s;
    this.status = this.querySelector("[data-status]");
    this.stopButton = this.querySelector("[data-stop]");
    this.stopButton.addEventListener("click", () => this.#stop());
    for (const button of this.querySelectorAll("[data-place]")) {
      button.addEventListener("click", () => this.#play(button));
    }
    for (const choice of this.querySelectorAll("[name=ear-mix]")) {
      choice.addEventListener("change", () => this.#again());
    }
    for (const button of this.form?.querySelectorAll("[data-nudge]") ?? []) {
      button.addEventListener("click", () => {
        const offset = Math.round((Number(this.field.value) || 0) * 1000) + Number(button.dataset.nudge);
        this.field.value = (offset / 1000).toFixed(3);
        this.#again();
      });
    }
    this.field?.addEventListener("change", () => this.#again());
  }

  disconnectedCallback() {
    this.#stop();
    this.#context?.close();
  }

  /** The offset of the form in seconds; who may only look has the saved one. */
  get offset() {
    return this.field ? Number(this.field.value) || 0 : Number(this.dataset.offset) || 0;
  }

  async #fetch(url) {
    if (!url) return null;
    if (!this.#sounds.has(url)) {
      const sound = fetch(url).then(async (answer) => {
        if (!answer.ok) throw new Error(String(answer.status));
        return this.#context.decodeAudioData(await answer.arrayBuffer());
      });
      sound.catch(() => this.#sounds.delete(url));
      this.#sounds.set(url, sound);
    }
    return this.#sounds.get(url);
  }

  async #play(button) {
    this.#stop();
    // Browsers allow sound only after a person has pressed something.
    this.#context ??= new AudioContext();
    const run = { button };
    this.#playing = run;
    button.setAttribute("aria-pressed", "true");
    this.stopButton.disabled = false;
    try {
      const [main, channel] = await Promise.all([
        this.#fetch(button.dataset.main),
        this.#fetch(button.dataset.channel),
        this.#context.resume(),
      ]);
      if (this.#playing !== run) return;
      Object.assign(run, { main, channel, startedAt: this.#context.currentTime + 0.1 });
      this.#sound(run, 0);
    } catch {
      if (this.#playing !== run) return;
      this.#stop();
      this.status.textContent = this.dataset.textFailed;
    }
  }

  /** Begin both sounds at `from` seconds after the place. */
  #sound(run, from) {
    const context = this.#context;
    const mix = this.querySelector("[name=ear-mix]:checked").value;
    const at = Math.max(run.startedAt, context.currentTime);
    const place = Number(run.button.dataset.at) / 1000;
    const length = run.main?.duration ?? run.channel?.duration ?? 0;
    run.nodes = [];
    const add = (buffer, position, pan) => {
      const source = new AudioBufferSourceNode(context, { buffer });
      const gain = new GainNode(context, { gain: 0 });
      gain.gain.setTargetAtTime(1, at, FADE_S);
      source.connect(gain).connect(new StereoPannerNode(context, { pan })).connect(context.destination);
      const wait = Math.max(0, -position);
      const start = Math.max(0, position);
      if (start >= buffer.duration || wait >= length - from) return false;
      source.start(at + wait, start, Math.max(0.05, length - from - wait));
      run.nodes.push(source);
      return true;
    };
    if (run.main && mix !== "channel") add(run.main, from, mix === "apart" ? -1 : 0);
    let isHeard = false;
    if (run.channel) {
      // What the channel has at t is heard in the recording at offset + t * (1 + drift).
      const rate = 1 + (Number(this.dataset.drift) || 0) / 1e6;
      const inChannel = (place + from - this.offset) / rate;
      isHeard = add(run.channel, inChannel - Number(run.button.dataset.channelAt) / 1000, mix === "apart" ? 1 : 0);
    }
    this.status.textContent = isHeard ? this.dataset.textPlaying : this.dataset.textNothing;
    const last = run.nodes.at(-1);
    if (last) last.onended = () => this.#playing === run && run.nodes.at(-1) === last && this.#stop();
    else this.#stop(this.dataset.textNothing);
  }

  /** Something was changed while it plays: go on at the same moment with the change. */
  #again() {
    const run = this.#playing;
    if (!run?.nodes) return;
    for (const node of run.nodes) {
      node.onended = null;
      node.stop();
    }
    this.#sound(run, Math.max(0, this.#context.currentTime - run.startedAt));
  }

  #stop(message = "") {
    const run = this.#playing;
    this.#playing = null;
    for (const node of run?.nodes ?? []) {
      node.onended = null;
      node.stop();
    }
    run?.button.setAttribute("aria-pressed", "false");
    this.stopButton.disabled = true;
    this.status.textContent = message;
  }
}

customElements.define("rostrum-ear", RostrumEar);
