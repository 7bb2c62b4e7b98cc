/** The figures of a node, from its own /metrics. */
export type NodeFigures = ReadonlyMap<string, number>;

/** Empty while it does not answer. */
export const figuresOf = async (url: string): Promise<NodeFigures> => {
  try {
    const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) });
    const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => {
        const at = line.lastIndexOf(' ');
        return [line.slice(0, at), Number(line.slice(at + 1))] as const;
      }),
    );
  } catch {
    return new Map();
  }
};
