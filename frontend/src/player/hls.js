// What plays HLS where the browser has Media Source Extensions. Loaded only when somebody is about to watch.
import Hls, { Level, M3U8Parser } from "hls.js/dist/hls.mjs";

export default Hls;

/** A loader that takes less or more bytes than it asked for as an error, after which hls.js asks again.
 *
 * hls.js only warns of them, and the browser gives up decoding. Chromium's cache in memory, that of private windows, at
 * times gives the first 4 KiB block of a range for the whole. */
export class ExactRangeLoader extends Hls.DefaultConfig.loader {
  load(context, config, callbacks) {
    const { rangeStart, rangeEnd } = context;
    const isExact = (data) => !rangeEnd || data.byteLength === rangeEnd - rangeStart;
    super.load(context, config, {
      ...callbacks,
      onProgress(stats, sameContext, data, request) {
        if (isExact(data)) callbacks.onProgress?.(stats, sameContext, data, request);
      },
      onSuccess(response, stats, sameContext, request) {
        if (isExact(response.data)) return callbacks.onSuccess(response, stats, sameContext, request);
        const text = `${response.data.byteLength} bytes instead of ${rangeEnd - rangeStart}`;
        callbacks.onError({ code: response.code, text }, sameContext, request, stats);
      },
    });
  }
}

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
