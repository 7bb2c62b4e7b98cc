/** What tests of this room take a host for. */
import type { HostHello } from './roster-host.ts';

export const hello = (hostId: string): HostHello => ({
  hostId,
  boot: 'b',
  epoch: 1,
  attempt: 1,
  dictionary: 'd',
  machine: {
    name: 'web-1',
    os: '',
    kernel: '',
    arch: '',
    model: '',
    cpu: '',
    cores: 2,
    memoryBytes: 1,
    virtual: '',
  },
  cluster: 'default',
  labels: {},
  agentVersion: '1',
  periodMs: 1000,
  clockOffsetMs: 0,
});
