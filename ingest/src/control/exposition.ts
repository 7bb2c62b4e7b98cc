/**
 * Our own measurements as Prometheus text. Every counter a part has becomes `thrum_ingest_<part>_<name>`; what is counted by code gets a
 * label. Pure. Names come from our own code, label values from closed lists, so nothing an agent says is in here.
 */
export type Measured = {
  readonly part: string;
  readonly values: Readonly<Record<string, number>>;
};
export type MeasuredBy = {
  readonly part: string;
  readonly name: string;
  readonly label: string;
  readonly values: ReadonlyMap<string, number>;
};

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Some parts name their counters after themselves already. */
const fullName = (part: string, name: string): string => {
  const [first, second] = [snake(part), snake(name)];
  return second.startsWith(`${first}_`) ? `thrum_ingest_${second}` : `thrum_ingest_${first}_${second}`;
};

const number = (value: number): string => (Number.isFinite(value) ? String(value) : 'NaN');

export const exposition = (measured: readonly Measured[], measuredBy: readonly MeasuredBy[]): string => {
  const lines: string[] = [];
  for (const { part, values } of measured)
    for (const [name, value] of Object.entries(values)) {
      const full = fullName(part, name);
      lines.push(`# TYPE ${full} untyped`, `${full} ${number(value)}`);
    }
  for (const { part, name, label, values } of measuredBy) {
    const full = fullName(part, name);
    lines.push(`# TYPE ${full} untyped`);
    for (const [key, value] of values) lines.push(`${full}{${label}="${key}"} ${number(value)}`);
  }
  return `${lines.join('\n')}\n`;
};
