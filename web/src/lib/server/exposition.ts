/**
 * A web node's own measurements as Prometheus text, for `/metrics`: `thrum_web_<name>` for what this folder counts, and
 * `thrum_web_<part>_<name>` for the parts it stands on. Names come from our own code, never from a browser. Pure.
 */
export type Measured = { readonly part: string | undefined; readonly values: Readonly<Record<string, number>> };

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export const exposition = (measured: readonly Measured[]): string =>
  measured
    .flatMap(({ part, values }) =>
      Object.entries(values).map(([name, value]) => {
        const full = `thrum_web_${part === undefined ? '' : `${part}_`}${snake(name.replace(/^web_/, ''))}`;
        return `# TYPE ${full} untyped\n${full} ${value}\n`;
      }),
    )
    .join('');
