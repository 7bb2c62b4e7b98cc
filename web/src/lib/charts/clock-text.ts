/** Times and ages as text, in the reader's time zone. */
const two = (value: number): string => value.toString().padStart(2, '0');

/** hh:mm:ss, or a dash when the time is unknown. */
export const clockText = (wallMs: number | undefined): string => {
  if (wallMs === undefined || !Number.isFinite(wallMs)) return '–';
  const date = new Date(wallMs);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
};

/** hh:mm, for axes of long windows. */
export const minuteText = (wallMs: number): string => clockText(wallMs).slice(0, 5);

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The clock time, with the day before it when that is not today. */
export const dateText = (wallMs: number | undefined, nowMs: number): string => {
  if (wallMs === undefined || !Number.isFinite(wallMs)) return '–';
  const date = new Date(wallMs);
  const sameDay = new Date(nowMs).toDateString() === date.toDateString();
  return sameDay ? clockText(wallMs) : `${date.getDate()} ${months[date.getMonth()] ?? ''} ${clockText(wallMs)}`;
};

/** A length of time in its largest fitting unit: "4 s", "12 min", "3 h", "2 d". */
export const spanText = (ms: number): string => {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
};
