// What plays HLS where the browser has Media Source Extensions. Loaded only when somebody is about to watch.
import Hls, { Level, M3U8Parser } from "hls.js/dist/hls.mjs";

export default Hls;

/** Give a playing instance the levels of a newer master playlist, without touching what it plays.
 *
 * hls.js itself changes its list of levels while playing when it removes one (LevelController.removeLevel) or steers to
 * another server; this does the same in the other direction: new objects join the known ones, fragments learn their
 * level's new number, and everybody is told.
 *
 * @returns {number} how many levels are new. */
export function addLevels(hls, text, url) {
  const known = hls.levels;
  const path = (address) => new URL(address, url).pathname.split("/").at(-1);
  const names = new Set(known.map((level) => path(level.uri)));
  const parsed = M3U8Parser.parseMasterPlaylist(text, url).levels;
  const added = parsed
    .filter((level) => !names.has(path(level.url)) && isPlayable(level.attrs.CODECS))
    .map((level) => new Level(level));
  if (!added.length) return 0;
  const levels = [...known, ...added].sort((a, b) => a.height - b.height || a.bitrate - b.bitrate);
  const controller = hls.levelController;
  const moved = (index) => (index >= 0 && known[index] ? levels.indexOf(known[index]) : index);
  const { currentLevelIndex, manualLevelIndex, _firstLevel } = controller;
  levels.forEach((level, index) => {
    for (const fragment of level.details?.fragments ?? []) {
      fragment.level = index;
      if (fragment.initSegment) fragment.initSegment.level = index;
    }
  });
  controller.currentLevelIndex = moved(currentLevelIndex);
  controller.manualLevelIndex = moved(manualLevelIndex);
  controller._firstLevel = moved(_firstLevel);
  hls.trigger(Hls.Events.LEVELS_UPDATED, { levels });
  return added.length;
}

function isPlayable(codecs) {
  const source = self.ManagedMediaSource ?? self.MediaSource;
  return source.isTypeSupported(`video/mp4; codecs="${codecs}"`);
}
