// What the player says, in the page's language. The server translates; the page carries the result as JSON.
import { addTranslation, setLanguage } from "media-chrome/dist/utils/i18n.js";

/** Read the JSON inside a player element and give Media Chrome its part of it. */
export function readLabels(player) {
  const script = player.querySelector('script[type="application/json"]');
  const labels = script ? JSON.parse(script.textContent) : {};
  addTranslation("page", labels.controls ?? {});
  setLanguage("page");
  return { off: "Off", captions: "Subtitles", failed: "", retry: "Reload", ...labels };
}
