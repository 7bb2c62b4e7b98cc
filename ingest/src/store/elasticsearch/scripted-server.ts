/**
 * A server that answers bulks as a test scripts it, for the faults that a real Elasticsearch cannot be made to give on demand: 429 for one
 * document, an answer that is lost after the documents were applied, 503, silence. Everything else is tested on the real one.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type BulkRequest = {
  /** Index and document of each `create`. */
  readonly documents: readonly { readonly index: string; readonly document: Record<string, unknown> }[];
  answer(status: number, body: unknown): void;
  /** One status per document, in order. */
  items(statuses: readonly number[]): void;
  /** Closes the connection without an answer. */
  lose(): void;
};

export type ScriptedServer = {
  readonly url: string;
  /** Every bulk so far. */
  readonly bulks: BulkRequest[];
  onRequest(listener: (request: IncomingMessage) => void): void;
  close(): Promise<void>;
};

const read = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
};

/** What a read by `_id` finds, in order; `undefined` answers 503. */
export type ScriptedRead = (
  ids: readonly string[],
) => readonly { found: boolean; _source?: { m: object } }[] | undefined;

const toBulk = (text: string, response: ServerResponse): BulkRequest => {
  const lines = text.split('\n').filter((line) => line !== '');
  const documents = lines.flatMap((line, i) => {
    if (i % 2 === 1) return [];
    const { create } = JSON.parse(line) as { create: { _index: string } };
    return [{ index: create._index, document: JSON.parse(lines[i + 1] ?? '{}') as Record<string, unknown> }];
  });
  const answer = (status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' });
    response.end(JSON.stringify(body));
  };
  const items = (statuses: readonly number[]): void => {
    const item = (status: number, i: number): object => {
      const _id = JSON.stringify(documents[i]?.document['@timestamp']);
      if (status < 300) return { create: { _id, status } };
      return { create: { _id, status, error: { type: `type_${status}`, reason: 'as scripted' } } };
    };
    answer(200, { errors: statuses.some((status) => status >= 300), items: statuses.map(item) });
  };
  return { documents, answer, items, lose: () => response.destroy() };
};

/**
 * `script` is called with each bulk and its number, from 0; the `_id` of a document is its time. `reads` answers what is read by `_id`; without it
 * a document reads as it was first sent, whatever was answered then. Searches find nothing; whatever else is asked succeeds.
 */
export const startScriptedServer = async (
  script: (bulk: BulkRequest, n: number) => void,
  reads?: ScriptedRead,
): Promise<ScriptedServer> => {
  const bulks: BulkRequest[] = [];
  const sent = new Map<string, { m: object }>();
  const asSent: ScriptedRead = (ids) =>
    ids.map((id) => {
      const _source = sent.get(id);
      return _source ? { found: true, _source } : { found: false };
    });
  let listen: (request: IncomingMessage) => void = () => undefined;
  const server = createServer((request, response) => {
    listen(request);
    void read(request).then((text) => {
      if (request.url?.startsWith('/_mget')) {
        const { docs } = JSON.parse(text) as { docs: { _id: string }[] };
        const found = (reads ?? asSent)(docs.map(({ _id }) => _id));
        return toBulk('', response).answer(found ? 200 : 503, found ? { docs: found } : {});
      }
      const bulk = toBulk(request.url?.startsWith('/_bulk') ? text : '', response);
      if (!request.url?.startsWith('/_bulk'))
        return bulk.answer(200, request.url?.startsWith('/_cat') ? [] : { status: 'green' });
      bulks.push(bulk);
      for (const { document } of bulk.documents) {
        const id = JSON.stringify(document['@timestamp']);
        if (!sent.has(id)) sent.set(id, document as { m: object });
      }
      script(bulk, bulks.length - 1);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bulks,
    onRequest: (listener) => (listen = listener),
    close: async () => {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
};
