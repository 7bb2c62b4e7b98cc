/** Ticks of a time axis: at round local times, as many as find room. */
const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const stepsMs = [1, 2, 5, 10, 15, 30]
  .map((count) => count * second)
  .concat([1, 2, 5, 10, 15, 30].map((count) => count * minute))
  .concat([1, 2, 3, 6, 12].map((count) => count * hour))
  .concat([1, 2, 7, 14, 30, 90, 365].map((count) => count * day));

/** Distance of ticks that leaves each at least `roomPx`. */
export const timeStep = (lengthMs: number, widthPx: number, roomPx: number): number => {
  const leastMs = (lengthMs / Math.max(1, widthPx)) * roomPx;
  return stepsMs.find((stepMs) => stepMs >= leastMs) ?? 365 * day;
};

/** Times of ticks; `zoneMs` is how far local time is ahead of UTC. */
export const timeTicks = (fromMs: number, toMs: number, stepMs: number, zoneMs: number): number[] => {
  const ticks: number[] = [];
  for (let at = Math.ceil((fromMs + zoneMs) / stepMs) * stepMs - zoneMs; at <= toMs; at += stepMs) ticks.push(at);
  return ticks;
};
