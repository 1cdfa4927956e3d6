// What the player says, in the page's language. The server translates; the page carries the result as JSON.
import { addTranslation, setLanguage } from "media-chrome/dist/utils/i18n.js";

/** Read the JSON inside a player element and give Media Chrome its part of it. */
export function readLabels(player) {
  const script = player.querySelector('script[type="application/json"]');
  const labels = script ? JSON.parse(script.textContent) : {};
  addTranslation("page", labels.controls ?? {});
  setLanguage("page");
  return labels;
}

/** Put values in place of the names in braces: fill("at {time}", {time: "0:12"}). */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Seconds as people write them: 0:07, 12:34, 1:02:03. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A language's own name, as far as the browser knows it. */
export function autonym(language, name) {
  if (name && name !== language) return name;
  try {
    return new Intl.DisplayNames([language], { type: "language" }).of(language) ?? language;
  } catch {
    return language;
  }
}
