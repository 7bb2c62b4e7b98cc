/** Entries of hosts as ingest nodes make them, for tests. */
import type { RosterEntry } from '../wire/roster.ts';

export const testHostId = (at: number): string => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`;

export const testEntry = (at: number, changes: Partial<RosterEntry> = {}): RosterEntry => {
  const fields = {
    hostId: testHostId(at),
    machine: {
      ...{
        name: `web-${at}.example.net`,
        os: 'Debian GNU/Linux 13 (trixie)',
        kernel: '6.12.48+deb13-amd64',
        arch: 'x64',
      },
      ...{ model: 'ProLiant DL380 Gen10', cpu: 'Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz', cores: 40 },
      ...{ memoryBytes: 274_877_906_944, virtual: 'kvm' },
    },
    ...{ cluster: `cluster-${at % 7}`, labels: { rack: `r${at % 40}`, zone: `z${at % 4}` }, agentVersion: '1.4.2' },
    ...{ periodMs: 1000, connection: 'connected' as const, sinceMs: 1_767_225_600_000, clockOffsetMs: 12 },
    ...{ node: 'n00', epoch: 1, attempt: 1, degraded: [] },
    ...changes,
  };
  return fields;
};
