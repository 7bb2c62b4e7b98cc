/** A web node as a program: its actor system, its place in the mesh and its gateway, started on an HTTP server that listens already. */
import { readFileSync } from 'node:fs';
import type { Server as HttpServer } from 'node:http';
import { join } from 'node:path';
import { startSessions } from '@thrum/actors/sessions/sessions';
import { joinMesh } from '@thrum/actors/mesh/join-mesh';
import { createActorSystem } from '@thrum/actors/system/actor-system';
import { systemClock } from '@thrum/actors/system/clock';
import { exposition } from '@thrum/actors/system/exposition';
import { createLog } from '@thrum/actors/system/log';
import { processValues } from '@thrum/actors/system/process-values';
import { defaultNodeName, type WebSettings } from './config.ts';
import { createDocuments } from './documents.ts';
import { allowedNames } from './hosts.ts';
import { startSignInRoom, type SignInRoom } from './sign-in/start-sign-in.ts';
import { startWebNode, type WebNode } from './web-node.ts';

export type Program = {
  /** For the ready line. */
  node: string;
  meshPort: number;
  web: WebNode;
  signIn: SignInRoom;
  /** What this node measures of itself, as Prometheus text. */
  figures(): string;
  /** Tabs first, so that they are told; the mesh last. */
  stop(): Promise<void>;
};

const readVersion = (): string => {
  const json = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return json.version;
};

/** Throws, with a message that names it, when the mesh port or the data directory cannot be had. `port` is where `http` listens. */
export const startProgram = async (
  settings: WebSettings,
  http: HttpServer,
  options: { port: number; sharesServer: boolean },
): Promise<Program> => {
  const name = settings.nodeName ?? defaultNodeName(options.port);
  const log = createLog({ name: 'web', level: settings.logLevel }).child({ node: name });
  const system = createActorSystem({ name, clock: systemClock, log });
  const mesh = await joinMesh({
    self: { id: name, name, role: 'web' },
    key: settings.meshKey,
    bind: settings.bind,
    port: settings.meshPort,
    seeds: settings.meshSeeds,
    ...(settings.meshAdvertise !== undefined && { advertise: settings.meshAdvertise }),
    system,
  });
  const { links, actors, membership, topics, presence } = mesh;
  const { data } = settings;
  if (data === undefined)
    log.warn({}, 'THRUM_DATA is not set: sessions are in memory only, and `thrum user reset` cannot reach this node');
  const sessions = await startSessions({
    links,
    system,
    directory: data === undefined ? undefined : join(data, 'sessions'),
  });
  const names = allowedNames(settings.origins);
  const signIn = await startSignInRoom({
    documents: createDocuments({ links, clock: systemClock }),
    sessions,
    links,
    system,
    origins: names.origins,
    proxies: settings.proxies,
    setUpToken: settings.setupToken,
    directory: data,
    dashboardUrl: settings.origins[0] ?? `http://localhost:${options.port}`,
  });
  const web = startWebNode({
    http,
    links,
    actors,
    topics,
    presence,
    system,
    names,
    access: signIn.access,
    version: readVersion(),
    sharesServer: options.sharesServer,
  });
  return {
    node: name,
    meshPort: Number(links.self.address.split(':').at(-1)),
    web,
    signIn,
    figures: () =>
      exposition('web', [
        { part: undefined, values: web.counters() },
        { part: 'sign_in', values: signIn.counters() },
        { part: 'sessions', values: sessions.counters() },
        ...mesh.figures(),
        { part: 'actors', values: system.counters() },
        { part: 'process', values: processValues() },
      ]),
    stop: async () => {
      await web.close();
      await membership.leave();
      await signIn.close();
      await sessions.close();
      await mesh.close();
      await system.stop();
    },
  };
};
