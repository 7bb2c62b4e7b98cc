/**
 * Wrong products for chaos to notice: each is the product with a few words of its sources replaced while they are loaded (`load-mutant.ts`).
 * `npm run chaos -- --mutant NAME --seconds 75`. Adding one is an entry here; a test holds that its words are in the product, once.
 */
export type Edit = {
  /** Below the repository. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
};

export type Mutant = {
  readonly name: string;
  /** What it breaks, in one sentence. */
  readonly breaks: string;
  /** Which programs are wrong. */
  readonly of: 'agent' | 'ingest';
  readonly edits: readonly Edit[];
};

const intakeRules = 'ingest/src/intake/rules.ts';
const storeRules = 'ingest/src/store/rules.ts';
const queueRules = 'agent/src/queue/rules.ts';

/** Records may be sent long before they are written. */
const sentBeforeDurable: readonly Edit[] = [
  { file: queueRules, from: "record.isSynced || state === 'degraded'", to: 'true' },
  {
    file: 'agent/src/queue/disk-queue.ts',
    from: 'const commitGroup = async (): Promise<void> => {',
    to: 'const commitGroup = async (): Promise<void> => { await new Promise((done) => setTimeout(done, 500));',
  },
];

export const mutants: readonly Mutant[] = [
  {
    name: 'ack-on-receipt',
    breaks: 'a batch is acknowledged when it arrives',
    of: 'ingest',
    edits: [
      {
        file: intakeRules,
        from: "mayAck: (stage) => stage.kind === 'ended' && stage.result.ok",
        to: "mayAck: (stage) => stage.kind === 'received' || stage.kind === 'ended'",
      },
    ],
  },
  {
    name: 'ack-cumulative',
    breaks: 'an acknowledgement of one batch is one of all before it',
    of: 'ingest',
    edits: [
      {
        file: intakeRules,
        from: 'acksExactly: (sorted) => {',
        to: 'acksExactly: (sorted) => { if (sorted.length > 0) return [[0, sorted.at(-1)]];',
      },
    ],
  },
  {
    name: 'ack-partial',
    breaks: 'a document that the store did not take counts as done with its bulk',
    of: 'ingest',
    edits: [{ file: storeRules, from: "verdict !== 'again'", to: 'true' }],
  },
  {
    name: 'conflict-is-trusted',
    breaks: 'a document of the same series and time counts as our own, unread',
    of: 'ingest',
    edits: [{ file: storeRules, from: "(kind === 'sample' ? 'compare' : 'stored')", to: "'stored'" }],
  },
  {
    name: 'refused-without-letter',
    breaks: 'a refused sample is kept nowhere',
    of: 'ingest',
    edits: [{ file: storeRules, from: 'keepsRefused: (): boolean => true', to: 'keepsRefused: (): boolean => false' }],
  },
  {
    name: 'sent-before-durable',
    breaks: 'a record is sent before it is on disk',
    of: 'agent',
    edits: sentBeforeDurable,
  },
  {
    name: 'epoch-reused',
    breaks: 'a record is sent before it is on disk, and the next start uses its epoch and number again',
    of: 'agent',
    edits: [
      ...sentBeforeDurable,
      {
        file: 'agent/src/identity.ts',
        from: 'Math.max(last + 1, seconds <= maxEpoch ? seconds : 0)',
        to: 'last > 0 ? last : seconds',
      },
      { file: 'agent/src/identity.ts', from: 'known < identity.epoch', to: 'known <= identity.epoch' },
      {
        file: 'agent/src/queue/disk-queue.ts',
        from: 'let total = shelf.account().produced;',
        to: 'let total = shelf.account().produced; globalThis.mutantSeq = (recovered.end?.seq ?? -1) + 1;',
      },
      { file: 'agent/src/recording.ts', from: 'let seq = 0;', to: 'let seq = globalThis.mutantSeq ?? 0;' },
    ],
  },
  {
    name: 'gap-not-told',
    breaks: 'what was given up is told by nobody',
    of: 'agent',
    edits: [{ file: queueRules, from: 'boolean => gap.isDurable', to: 'boolean => false && gap.isDurable' }],
  },
  {
    name: 'unclean-not-noticed',
    breaks: 'the end of a killed agent leaves no gap',
    of: 'agent',
    edits: [{ file: queueRules, from: 'checkpoint ? !checkpoint.isClean : segments > 0', to: 'false' }],
  },
  {
    name: 'damage-not-counted',
    breaks: 'samples in a damaged stretch are not missed',
    of: 'agent',
    edits: [
      { file: queueRules, from: 'Math.max(0, after.total - after.samples - before)', to: '0 * (after.total - before)' },
    ],
  },
];

export const mutantNamed = (name: string): Mutant => {
  const found = mutants.find((one) => one.name === name);
  if (!found) throw new Error(`No mutant is called ${name}. There are: ${mutants.map((one) => one.name).join(', ')}.`);
  return found;
};
