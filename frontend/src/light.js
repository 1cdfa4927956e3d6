// The version for slow connections: the picture and the words of the moment follow the sound.
//
// Used by the page and, as a plain script without a server, by the archive that people take away. Without it both are
// pages to read.
(() => {
  const sound = document.querySelector("[data-sound]");
  const stage = document.querySelector("[data-stage]");
  const scenes = [...document.querySelectorAll("[data-scene]")].map((element) => ({
    element,
    start: Number(element.dataset.scene),
    picture: element.querySelector("img"),
  }));
  const choice = document.querySelector("[data-language]");
  let language = choice?.value ?? document.querySelector("[data-words]:not([hidden])")?.dataset.words ?? "";
  let words = [];

  const readWords = () => {
    words = [...document.querySelectorAll(`[data-words="${CSS.escape(language)}"] [data-from]`)].map((element) => ({
      element,
      start: Number(element.dataset.from),
      end: Number(element.dataset.to),
    }));
  };

  /** The last one that begins at or before `time`; they are sorted. */
  const lastBefore = (list, time) => {
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle].start <= time + 0.05) low = middle + 1;
      else high = middle;
    }
    return list[low - 1];
  };

  const mark = (list, current) => {
    for (const { element } of list) {
      if (element !== current?.element) element.removeAttribute("aria-current");
    }
    current?.element.setAttribute("aria-current", "true");
  };

  const follow = () => {
    const time = sound.currentTime;
    const scene = lastBefore(scenes, time);
    const cue = lastBefore(words, time);
    const isSaid = cue && time < cue.end;
    mark(scenes, scene);
    mark(words, isSaid ? cue : null);
    if (!stage) return;
    const picture = stage.querySelector("[data-stage-picture]");
    picture.hidden = !scene?.picture;
    if (scene?.picture && picture.getAttribute("src") !== scene.picture.getAttribute("src")) {
      picture.src = scene.picture.getAttribute("src");
      picture.alt = scene.picture.alt;
    }
    const text = stage.querySelector("[data-stage-words]");
    text.textContent = isSaid ? cue.element.textContent : "";
    text.lang = language;
  };

  const goTo = (time) => {
    const jump = () => {
      sound.currentTime = time;
    };
    // Nothing of the sound is fetched before it is wanted, and until then there is no place to go to.
    if (sound.readyState > 0) jump();
    else sound.addEventListener("loadedmetadata", jump, { once: true });
    sound.play().catch(() => {}); // a browser that forbids playing leaves it paused at the right place
  };

  choice?.closest("[data-language-choice]")?.removeAttribute("hidden");
  choice?.addEventListener("change", () => {
    language = choice.value;
    for (const element of document.querySelectorAll("[data-words]")) element.hidden = element.dataset.words !== language;
    readWords();
    if (sound) follow();
  });
  readWords();
  if (!sound) return;
  if (stage && (scenes.some((scene) => scene.picture) || words.length)) stage.hidden = false;
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-start]");
    if (!link) return;
    event.preventDefault();
    history.replaceState(null, "", link.hash);
    goTo(Number(link.dataset.start));
  });
  sound.addEventListener("timeupdate", follow);
  sound.addEventListener("seeked", follow);
  follow();
})();
