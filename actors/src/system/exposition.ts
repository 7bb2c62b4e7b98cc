/**
 * A node's own measurements as Prometheus text: what a part counts becomes `thrum_<program>_<part>_<name>`, and what is counted by code gets a label.
 * Pure. Names come from our own code and label values from closed lists, so nothing that others say is in here; whatever a name is made of, the
 * text is one that can be read.
 */
export type Measured = {
  /** Undefined for the program as a whole. */
  readonly part: string | undefined;
  readonly values: Readonly<Record<string, number>>;
};
export type MeasuredBy = {
  readonly part: string;
  readonly name: string;
  readonly label: string;
  readonly values: ReadonlyMap<string, number>;
};

const snake = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/[^a-z0-9_]+/g, '_');

/** Some parts name their counters after themselves already. */
const within = (whole: string, name: string): string => (name.startsWith(`${whole}_`) ? name : `${whole}_${name}`);

const number = (value: number): string => (Number.isFinite(value) ? String(value) : 'NaN');

export const exposition = (
  program: string,
  measured: readonly Measured[],
  measuredBy: readonly MeasuredBy[] = [],
): string => {
  const fullName = (part: string | undefined, name: string): string => {
    const own = snake(name);
    return `thrum_${part === undefined ? within(program, own) : `${program}_${within(snake(part), own)}`}`;
  };
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
