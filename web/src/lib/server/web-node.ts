/**
 * A web node on an HTTP server and a mesh that are there already: what server.ts, development and tests all start.
 */
import type { Server as HttpServer } from 'node:http';
import type { Links } from '@thrum/actors/link/links';
import type { MeshActors } from '@thrum/actors/link/mesh-actors';
import type { ActorSystem } from '@thrum/actors/system/actor-system';
import type { Presence } from '@thrum/actors/presence/presence';
import type { Topics } from '@thrum/actors/topics/topics';
import { overviewColumns } from '@thrum/actors/wire/frame';
import { protocolVersion } from '@thrum/actors/wire/version';
import { createCounters } from './counters.ts';
import { startGateway } from './gateway.ts';
import type { AllowedNames } from './hosts.ts';
import { startIngestSide } from './ingest-side.ts';
import type { Access } from './sign-in/tab-guard.ts';

export type WebNodeParts = {
  http: HttpServer;
  links: Links;
  actors: MeshActors;
  topics: Topics;
  presence: Presence;
  system: ActorSystem;
  names: AllowedNames;
  access: Access;
  /** Version of the program, for people. */
  version: string;
  sharesServer: boolean;
};

export type WebNode = { tabs(): number; counters(): Record<string, number>; close(): Promise<void> };

export const startWebNode = (parts: WebNodeParts): WebNode => {
  const { http, links, actors, topics, presence, system, names, access, sharesServer } = parts;
  const { clock } = system;
  const counters = createCounters();
  const side = startIngestSide({ links, actors, topics, presence, system, counters });
  const gateway = startGateway({
    http,
    system,
    counters,
    names,
    access,
    sharesServer,
    watches: side.watches,
    history: side.history,
    present: {
      nowMs: () => clock.monotonicMs(),
      serverMs: () => clock.wallMs(),
      overview: side.overview.lastValues,
      roster: (hostId) => presence.agent(hostId),
      ingest: side.ingestNodes,
    },
    greeting: () => ({
      protocol: protocolVersion,
      node: links.self.name,
      version: parts.version,
      serverMs: clock.wallMs(),
      roster: presence.agents(),
      columns: overviewColumns,
      overview: side.overview.greeting(),
      ingest: side.ingestNodes(),
    }),
  });
  side.tell(gateway);
  return {
    tabs: () => gateway.tabs(),
    counters: () => ({
      ...counters.read(),
      web_tabs: gateway.tabs(),
      web_tabs_ungreeted: gateway.ungreeted(),
      web_frames_deferred: gateway.deferred(),
      web_queued_bytes: gateway.queued().bytes,
      web_queued_bytes_max: gateway.queued().maxBytes,
      web_hosts_watched: side.watches.size(),
      web_overview_bytes: side.overview.size().bytes,
      web_roster_entries: presence.agents().length,
    }),
    close: async () => {
      await gateway.close();
      side.close();
    },
  };
};
