/**
 * The version of everything in this room: what agents, ingest nodes, web nodes and browsers say to one another.
 * `fingerprint.test.ts` fails when a shape changes without a bump here. We speak the newest version and the one before it.
 *
 * History
 *   1  first version: hello, dictionary, batches by column, selective acknowledgements, live frames, history questions
 */
export const protocolVersion = 1;

export const spokenVersions: readonly number[] = [1];
