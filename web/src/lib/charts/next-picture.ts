/**
 * One place that draws: whatever asks to be drawn is drawn once, before the browser's next picture, however often it asked. In a
 * hidden tab the browser makes no pictures, so nothing is drawn until it is seen again.
 */
const waiting = new Set<() => void>();
let asked = false;

const drawAll = (): void => {
  asked = false;
  const now = [...waiting];
  waiting.clear();
  for (const draw of now) draw();
};

/** Draws before the next picture. The same function asked for twice is drawn once; at most one entry per chart can wait. */
export const drawSoon = (draw: () => void): void => {
  waiting.add(draw);
  if (asked) return;
  asked = true;
  requestAnimationFrame(drawAll);
};

/** What no longer exists is not drawn. */
export const forgetDrawing = (draw: () => void): void => {
  waiting.delete(draw);
};
