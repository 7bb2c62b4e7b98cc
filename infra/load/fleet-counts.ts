/** What a fleet counts over all its agents. Refusals come from a closed list, so the counters are bounded. */
import type { RefusalCode } from '@thrum/actors/wire/refusal';

export class FleetCounts {
  /** Hellos that were welcomed. */
  connections = 0;
  connectErrors = 0;
  batchesSent = 0;
  batchesResent = 0;
  batchesAcknowledged = 0;
  valuesAcknowledged = 0;
  batchesBusy = 0;
  /** How often an agent was told how much of its backlog it may send. */
  paces = 0;
  /** Measured without a connection, and sent later. */
  batchesWaited = 0;
  /** Ticks for which no batch was made, because too many waited already. */
  ticksGivenUp = 0;
  readonly refused = new Map<RefusalCode, number>();
  readonly samplesRefused = new Map<RefusalCode, number>();
  /** The newest detail for each code: what a person looks at first. */
  readonly details = new Map<RefusalCode, string>();

  refuse(code: RefusalCode, detail: string): void {
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
    this.details.set(code, detail);
  }

  refuseSamples(code: RefusalCode, samples: number, detail: string): void {
    this.samplesRefused.set(code, (this.samplesRefused.get(code) ?? 0) + samples);
    this.details.set(code, detail);
  }
}
