// Icons of the controls that Media Chrome has no button for (our own drawings, 24 x 24).

const draw = (path) => `<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="${path}"/></svg>`;

export const PLAY = draw("M7 4.5v15l13-7.5z");
export const SUBTITLES = draw(
  "M4 5h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2Zm0 2v10h16V7H4Zm2 4h4v2H6v-2Zm6 0h6v2h-6v-2Zm-6 3h7v2H6v-2Zm9 0h3v2h-3v-2Z",
);
export const SETTINGS = draw(
  "M10.4 2h3.2l.5 2.6 1.7.7 2.2-1.5 2.2 2.2-1.5 2.2.7 1.7 2.6.5v3.2l-2.6.5-.7 1.7 1.5 2.2-2.2 2.2-2.2-1.5-1.7.7-.5 2.6h-3.2l-.5-2.6-1.7-.7L6 20.2 3.8 18l1.5-2.2-.7-1.7-2.6-.5v-3.2l2.6-.5.7-1.7L3.8 6 6 3.8l2.2 1.5 1.7-.7.5-2.6ZM12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7Z",
);
export const SOUND = draw("M4 9v6h4l5 5V4L8 9H4Zm11.5-.6v7.2a4 4 0 0 0 0-7.2Zm0-4.2v2.1a6 6 0 0 1 0 11.4v2.1a8 8 0 0 0 0-15.6Z");
