/** The one line every program prints on stdout when it is ready to work, as JSON: `{"ready":"ingest","port":7071,...}`. */
export type ReadyLine = {
  readonly ready: string;
  readonly port?: number;
  readonly meshPort?: number;
  readonly node?: string;
};

/** `undefined` for any line that does not say that a program is ready. Members of a wrong type are left out. */
export const parseReadyLine = (line: string): ReadyLine | undefined => {
  if (!line.startsWith('{')) return undefined;
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const members = new Map(Object.entries(parsed));
  const ready = members.get('ready');
  if (typeof ready !== 'string') return undefined;
  const port = members.get('port');
  const meshPort = members.get('meshPort');
  const node = members.get('node');
  return {
    ready,
    ...(typeof port === 'number' && { port }),
    ...(typeof meshPort === 'number' && { meshPort }),
    ...(typeof node === 'string' && { node }),
  };
};
