/** One JSON log line as a person reads it on a terminal: time, level, name, message, then the other fields. Pure. */
const hidden = new Set(['time', 'level', 'name', 'msg', 'error']);

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const text = (value: unknown): string =>
  value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);

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
    .map(([key, value]) => ` ${key}=${text(value)}`)
    .join('');
  const error = isRecord(line['error']) ? `\n  ${text(line['error']['stack'] ?? line['error']['message'])}` : '';
  return `${time} ${text(line['level']).padEnd(5)} ${text(line['name'])}: ${text(line['msg'])}${fields}${error}\n`;
};
