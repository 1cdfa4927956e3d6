// The page that cuts a recording: takes moments from the player, and says what will remain.
const player = document.querySelector("rostrum-player");
const form = document.querySelector("form[data-cut]");

/** "1:02:03.5" (with digits of any script) as seconds; null if it is no moment, or empty. */
function secondsOf(text) {
  const digits = text.trim().replace(/\p{Nd}/gu, (digit) => String(decimalValue(digit)));
  const match = digits.match(/^(?:(?:(\d{1,2}):)?(\d{1,3}):)?(\d{1,6}(?:[.,]\d+)?)$/);
  if (!match) return null;
  return Number(match[1] ?? 0) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3].replace(",", "."));
}

/** Decimal digits stand in runs of ten, 0 to 9 (Unicode Standard, 4.6). */
function decimalValue(digit) {
  let zero = digit.codePointAt(0);
  const last = zero - 9;
  while (zero > last && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return (digit.codePointAt(0) - zero) % 10;
}

function clock(seconds, digits = 0) {
  const factor = 10 ** digits;
  const rounded = Math.round(seconds * factor) / factor;
  const hours = Math.floor(rounded / 3600);
  const minutes = Math.floor((rounded % 3600) / 60);
  const rest = (rounded % 60).toFixed(digits).padStart(digits ? 3 + digits : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

function showWhatRemains() {
  const line = form.querySelector("[data-cut-remains]");
  const whole = Number(form.dataset.cut) / 1000;
  const start = secondsOf(form.elements.start.value || "0");
  const end = form.elements.end.value.trim() ? secondsOf(form.elements.end.value) : whole;
  if (start === null || end === null || Math.min(end, whole) <= start) return;
  line.textContent = line.dataset.cutRemains
    .replace("{shown}", clock(Math.min(end, whole) - start))
    .replace("{whole}", clock(whole));
}

if (form && player?.media) {
  for (const button of form.querySelectorAll("[data-take-moment], [data-show-moment]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const field = document.getElementById(button.dataset.takeMoment ?? button.dataset.showMoment);
      if (button.dataset.takeMoment) {
        field.value = clock(player.media.currentTime, 2);
        showWhatRemains();
        return;
      }
      // The player loads nothing before it is asked to play; so it plays up to the moment, and stops there.
      player.media.addEventListener("seeked", () => player.media.pause(), { once: true });
      player.seek(secondsOf(field.value) ?? (field.name === "end" ? Number(form.dataset.cut) / 1000 : 0));
    });
  }
  form.addEventListener("input", showWhatRemains);
  showWhatRemains();
}
