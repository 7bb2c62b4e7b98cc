/** What the intake counts of itself, over all sessions. Codes are a closed list, so the counters are bounded. */
import type { RefusalCode } from '@thrum/actors/wire/refusal';
import type { RefusedSamples } from './batch-check.ts';

export class IntakeCounts {
  hellos = 0;
  batches = 0;
  resends = 0;
  /** Sent back because samples of them were to be refused for their time while it was not known what time it is. */
  batchesLeftForTime = 0;
  batchBytes = 0;
  samples = 0;
  values = 0;
  /** Values that were not finite. */
  valuesBad = 0;
  batchesBusy = 0;
  batchesAcknowledged = 0;
  /** Batches that came again while they were still being stored. */
  batchesInFlightAgain = 0;
  eventMessages = 0;
  /** Of hosts that tell more events than they may: answered as busy. */
  eventMessagesHeldBack = 0;
  /** Events of hosts, taken by the store. */
  events = 0;
  eventsUnknown = 0;
  /** How often an agent was told how much of its backlog it may send. */
  pacesTold = 0;
  /** Connections cut because their agent did not read what it was told. */
  connectionsNotReading = 0;
  handshakesTurnedDown = 0;
  /** Connections refused before a hello of which no line was logged. */
  refusalsNotLogged = 0;
  sessionsFailed = 0;
  sessionsReplacedQuietly = 0;
  /** Connections refused, by code. */
  readonly refused = new Map<RefusalCode, number>();
  /** Samples refused, by code; whether here or by the store. */
  readonly samplesRefused = new Map<RefusalCode, number>();

  refuse(code: RefusalCode): void {
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
  }

  refuseSamples(refused: readonly RefusedSamples[]): void {
    for (const { code, samples } of refused)
      this.samplesRefused.set(code, (this.samplesRefused.get(code) ?? 0) + samples);
  }
}
