/**
 * The peer of `ingest-throughput`: documents that an ingest node stored, read back and sent to the same server with bare `_bulk` requests,
 * into indices of the same settings and mappings. As cheap for the client as it can be: bodies are two joined strings a document.
 */
import { Agent, request } from 'node:http';

const bulkDocuments = 1500;
const documentsPerIndex = 2000;
const inFlight = 4;

type Document = Record<string, unknown>;

const agent = new Agent({ keepAlive: true, maxSockets: inFlight });

const call = (url: string, method: string, body?: string): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const type = url.includes('/_bulk') ? 'application/x-ndjson' : 'application/json';
    const sent = request(url, { method, agent, headers: { 'content-type': type } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.once('error', reject);
    sent.end(body);
  });

const json = async (url: string, method: string, body?: object): Promise<unknown> => {
  const { status, text } = await call(url, method, body === undefined ? undefined : JSON.stringify(body));
  if (status >= 300) throw new Error(`${method} ${url}: ${status} ${text.slice(0, 500)}`);
  return JSON.parse(text);
};

/** An index of the same settings and mappings under another name. */
const copyIndex = async (url: string, from: string, to: string): Promise<void> => {
  type Described = Record<string, { mappings: object; settings: { index: Record<string, unknown> } }>;
  const described = (await json(`${url}/${from}`, 'GET')) as Described;
  const { mappings, settings } = described[from] ?? { mappings: {}, settings: { index: {} } };
  const own = ['uuid', 'version', 'creation_date', 'provided_name', 'dimensions'];
  const index = Object.fromEntries(Object.entries(settings.index).filter(([name]) => !own.includes(name)));
  await json(`${url}/${to}`, 'PUT', { mappings, settings: { index } });
};

export type RawRun = {
  /** Sends for that long; returns documents stored and the seconds it took. */
  run(ms: number): Promise<{ documents: number; seconds: number }>;
};

/** `indices`: what the ingest node wrote; of each 2,000 documents are taken, and sent in the order in which ingest sends them. */
export const rawBulk = async (url: string, indices: readonly string[], prefix: string): Promise<RawRun> => {
  const documents: { index: string; rest: string }[][] = [];
  for (const name of indices) {
    const copy = name.replace(/^[^-]+/, prefix);
    await copyIndex(url, name, copy);
    await json(`${url}/${name}/_refresh`, 'POST');
    const found = (await json(`${url}/${name}/_search`, 'POST', {
      size: documentsPerIndex,
      sort: ['@timestamp'],
    })) as {
      hits: { hits: { _source: Document }[] };
    };
    documents.push(
      found.hits.hits.map(({ _source: { '@timestamp': _, ...rest } }) => ({
        index: copy,
        rest: JSON.stringify(rest).slice(1),
      })),
    );
  }
  const shortest = Math.min(...documents.map((list) => list.length));
  if (!(shortest > 0)) throw new Error('There are no documents to send: the ingest node stored none.');
  // One document of each index after another, as a batch of an agent has them.
  const mixed = Array.from({ length: shortest }, (_, k) => documents.map((list) => list[k])).flat();
  const [day] = /\d{4}\.\d\d\.\d\d$/.exec(indices[0] ?? '') ?? [];
  // Each document of an index has a time of its own on that day, in every round of all of them: none is a duplicate.
  let timeMs = Date.parse(`${(day ?? '').replaceAll('.', '-')}T00:00:00Z`);
  let next = 0;
  const body = (): string => {
    let text = '';
    for (let i = 0; i < bulkDocuments; i += 1) {
      const document = mixed[next];
      if (!document) throw new Error('BUG: no documents to send');
      text += `{"create":{"_index":"${document.index}"}}\n{"@timestamp":${timeMs + Math.floor(next / documents.length)},${document.rest}\n`;
      next += 1;
      if (next === mixed.length) {
        next = 0;
        timeMs += shortest;
      }
    }
    return text;
  };
  return {
    run: async (ms) => {
      const startedMs = performance.now();
      let stored = 0;
      await Promise.all(
        Array.from({ length: inFlight }, async () => {
          while (performance.now() - startedMs < ms) {
            const { status, text } = await call(`${url}/_bulk?filter_path=errors,items.*.error`, 'POST', body());
            const answer = JSON.parse(text) as { errors: boolean };
            if (status >= 300 || answer.errors) throw new Error(`_bulk: ${status} ${text.slice(0, 500)}`);
            stored += bulkDocuments;
          }
        }),
      );
      return { documents: stored, seconds: (performance.now() - startedMs) / 1000 };
    },
  };
};
