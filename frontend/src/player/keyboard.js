// The player's keys. They work while the focus is inside the player (WCAG 2.2, 2.1.4 Character Key Shortcuts).

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

export function connectKeyboard(controller, player) {
  const { media } = player;
  const seekBy = (seconds) => player.moveTo(Math.max(0, media.currentTime + seconds));
  const louder = (by) => {
    media.muted = false;
    media.volume = Math.min(1, Math.max(0, media.volume + by));
  };
  const keys = {
    " ": () => player.toggle(),
    k: () => player.toggle(),
    j: () => seekBy(-10),
    l: () => seekBy(10),
    ArrowLeft: () => seekBy(-5),
    ArrowRight: () => seekBy(5),
    ArrowUp: () => louder(0.05),
    ArrowDown: () => louder(-0.05),
    m: () => (media.muted = !media.muted),
    c: () => player.captions.toggle(),
    f: () => controller.querySelector("media-fullscreen-button").click(),
    "<": () => (media.playbackRate = nextSpeed(media.playbackRate, -1)),
    ">": () => (media.playbackRate = nextSpeed(media.playbackRate, 1)),
    n: () => player.chapters.step(1),
    p: () => player.chapters.step(-1),
    "?": () => player.help.show(),
  };
  for (let digit = 0; digit < 10; digit++) {
    keys[String(digit)] = () => player.moveTo((player.durationS * digit) / 10);
  }

  controller.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.composedPath()[0];
    if (target.closest?.("dialog, [role=menu], textarea, input:not([type=range])")) return;
    const isOnControl = target !== controller && target !== media;
    // A control that has the focus keeps the keys by which it is worked.
    if (isOnControl && [" ", "Enter"].includes(event.key)) return;
    if (target.type === "range" && event.key.startsWith("Arrow")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = keys[key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

export function speeds() {
  return SPEEDS;
}

function nextSpeed(now, by) {
  const nearest = SPEEDS.reduce((best, speed) => (Math.abs(speed - now) < Math.abs(best - now) ? speed : best));
  return SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(nearest) + by))];
}
