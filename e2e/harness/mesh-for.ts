/**
 * A mesh for one test: own ports, own directory, own indices in a real Elasticsearch, and nothing of it left afterwards.
 * Elasticsearch is the runner's (THRUM_TEST_ELASTICSEARCH), shared by all tests and never stopped by one; a test that stops it asks
 * for its own with `ownElasticsearch`.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startElasticsearch } from '../../infra/elasticsearch/development-server.ts';
import type { Elasticsearch } from '../../infra/elasticsearch/elasticsearch.ts';
import { startMesh, type Mesh, type MeshOptions } from '../../infra/local/start-mesh.ts';
import { deleteIndices } from './indices.ts';
import { knowDoor } from './sign-in.ts';

export type TestMesh = Mesh & {
  readonly directory: string;
  readonly elasticsearchUrl: string;
  /** The server, when it is this test's own. */
  readonly elasticsearch: Elasticsearch | undefined;
  /** Indices of this mesh are called `<prefix>-...`. */
  readonly prefix: string;
};

export type TestMeshOptions = Partial<Omit<MeshOptions, 'directory' | 'store'>> & {
  readonly ownElasticsearch?: boolean;
};

const maxTroubleLines = 200;

const sharedElasticsearch = (): string => {
  const url = process.env['THRUM_TEST_ELASTICSEARCH'];
  if (url === undefined || url === '')
    throw new Error(
      'THRUM_TEST_ELASTICSEARCH is not set: run this through `npm test`, or set it to the URL of an Elasticsearch.',
    );
  return url;
};

export const meshFor = async (t: TestContext, options: TestMeshOptions = {}): Promise<TestMesh> => {
  const { ownElasticsearch = false, ...rest } = options;
  const directory = mkdtempSync(join(tmpdir(), 'thrum-e2e-'));
  const prefix = `e2e_${randomBytes(4).toString('hex')}`;
  const trouble: string[] = [];
  const made: { elasticsearch?: Elasticsearch; mesh?: Mesh } = {};
  // One hook, so that the order is plain: programs, their indices, the server, the directory.
  t.after(async () => {
    await made.mesh?.stop();
    if (made.elasticsearch) await made.elasticsearch.stop();
    else await deleteIndices(sharedElasticsearch(), prefix);
    rmSync(directory, { recursive: true, force: true });
    // The runner shows a file's output only when it failed; what the programs said is where the search for the reason begins.
    for (const line of trouble) t.diagnostic(line.slice(0, 500));
  });

  if (ownElasticsearch)
    made.elasticsearch = await startElasticsearch({ dataDirectory: join(directory, 'elasticsearch') });
  const elasticsearchUrl = made.elasticsearch?.url ?? sharedElasticsearch();
  const mesh = (made.mesh = await startMesh({
    ...rest,
    directory,
    store: `elasticsearch:${elasticsearchUrl}`,
    settings: { ...rest.settings, ingest: { THRUM_STORE_PREFIX: prefix, ...rest.settings?.ingest } },
    onEvent: (name, event) => {
      if (event.kind === 'output' && event.output.from === 'stderr') trouble.push(`${name}: ${event.output.line}`);
      if (event.kind === 'ended') trouble.push(`${name} ended: ${event.ending.signal ?? event.ending.code ?? ''}`);
      if (trouble.length > maxTroubleLines) trouble.shift();
      rest.onEvent?.(name, event);
    },
  }));
  knowDoor([mesh.dashboardUrl, ...mesh.web.map((node) => node.url)], mesh.setUpToken);
  return { ...mesh, directory, elasticsearchUrl, elasticsearch: made.elasticsearch, prefix };
};
