/**
 * The version of everything in this room: what agents, ingest nodes, web nodes and browsers say to one another.
 * `fingerprint.test.ts` fails when a shape changes without a bump here. We speak the newest version and the one before it.
 *
 * History
 *   1  first version: hello, dictionary, batches by column, selective acknowledgements, live frames, history questions
 *   2  hello counts the connections of an epoch (`attempt`); roster entries are ordered by epoch and attempt and say what is degraded;
 *      a browser's socket needs a session (`signed-out`); web nodes ask for small documents of the store (`documents.ts`) and are told
 *      whether the store answers (`store-state.ts`)
 *   3  agents send `events` beside batches; ingest tells agents how much of their backlog it takes (`pace`, `backlog` of the welcome); the
 *      agent's own target says how delivery stands (produced, stored, gap, queued); events are a question of their own (`event-question.ts`)
 */
export const protocolVersion = 3;

/** Versions of agents that are served, and of ingest nodes that an agent can talk to. */
export const spokenVersions: readonly number[] = [1, 2, 3];
