/**
 * One JSON log line as a person reads it on a terminal: time, level, name, message, then the other fields. Pure. What a peer said may stand in
 * it: control characters, which could fake a line or tell the terminal to do something, are shown and not sent.
 */
const hidden = new Set(['time', 'level', 'name', 'msg', 'error']);

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const controls = /[\u0000-\u001f\u007f-\u009f]/g;

const shown = (text: string): string =>
  text.replace(controls, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);

const text = (value: unknown): string =>
  value === undefined ? '' : shown(typeof value === 'string' ? value : JSON.stringify(value));

/** Of several lines, as a stack is. */
const lines = (value: unknown): string =>
  typeof value === 'string' ? value.split('\n').map(shown).join('\n') : text(value);

export const terminalLine = (json: string): string => {
  let line: unknown;
  try {
    line = JSON.parse(json);
  } catch {
    return json;
  }
  if (!isRecord(line)) return json;
  const time = typeof line['time'] === 'number' ? new Date(line['time']).toISOString().slice(11, 23) : '';
  const fields = Object.entries(line)
    .filter(([key]) => !hidden.has(key))
    .map(([key, value]) => ` ${shown(key)}=${text(value)}`)
    .join('');
  const error = isRecord(line['error']) ? `\n  ${lines(line['error']['stack'] ?? line['error']['message'])}` : '';
  return `${time} ${text(line['level']).padEnd(5)} ${text(line['name'])}: ${text(line['msg'])}${fields}${error}\n`;
};
