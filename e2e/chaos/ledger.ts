/**
 * The ledger: every sample that agents had on disk against everything the store keeps, item by item. Pure.
 *
 * A sample is known by `host:epoch:seq:index`; a stored document by its series and time, which is what the store makes its name of. Several
 * samples may claim one such place (after a clock was set back): one of them is stored there, the others have to be refused or in a gap.
 *
 * What must hold: each sample is stored with its very values, or refused, or within a gap; nothing is stored twice, nothing is stored and
 * refused, and nothing is stored that no agent had, but for times in which an agent's disk took nothing (`memoryOnly`).
 */
export type Place = {
  readonly host: string;
  readonly target: string;
  readonly fields: readonly string[];
  readonly timeMs: number;
};

/** Values by metric as the store keeps them: a `float` as the four bytes that are left of it. */
export type Values = Readonly<Record<string, number>>;

export type Produced = Place & {
  readonly epoch: number;
  readonly seq: number;
  /** Place in its batch. */
  readonly index: number;
  readonly values: Values;
  /** The file it was found in. */
  readonly segment: string;
};

export type Stored = Place & { readonly values: Values; readonly index: string };

export type GapRange = {
  readonly host: string;
  readonly epoch: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** So many are missing, by what was told. */
  readonly samples: number;
  readonly reason: string;
};

export const differenceKinds = {
  lost: 'on disk, and neither stored nor refused nor in a gap',
  altered: 'stored with other values than any sample of that series and time',
  'stored twice': 'one sample, more than one document',
  'stored and refused': 'one sample, a document and a dead letter',
  unknown: 'stored, and no agent had it on its disk',
  'refused unknown': 'a dead letter of a sample that no agent had on its disk',
  'two of one name': 'two different samples under one epoch, sequence number and place',
} as const;
export type DifferenceKind = keyof typeof differenceKinds;

export type Difference = {
  readonly kind: DifferenceKind;
  readonly host: string;
  /** `host:epoch:seq:index`, where there is one. */
  readonly id: string | undefined;
  readonly timeMs: number | undefined;
  readonly story: string;
};

export type HostSums = {
  durable: number;
  stored: number;
  /** Stored while the disk took nothing: known from memory only. */
  storedFromMemory: number;
  refused: number;
  gap: number;
  /** Of those stored or refused: within a gap, so that their agent may have given them up because it had not heard. */
  storedInGap: number;
  refusedInGap: number;
};

export const noSums: Readonly<HostSums> = {
  ...{ durable: 0, stored: 0, storedFromMemory: 0, refused: 0, gap: 0, storedInGap: 0, refusedInGap: 0 },
};

export type Findings = {
  /** The first of each kind in full. */
  readonly differences: readonly Difference[];
  readonly counts: Readonly<Record<DifferenceKind, number>>;
  readonly hosts: ReadonlyMap<string, Readonly<HostSums>>;
};

const keptOfEachKind = 20;

type Item = { readonly id: string; readonly values: string; readonly of: Produced; stored: number };

const placeKey = (place: Place): string =>
  `${place.host}|${place.target}|${place.fields.join('\u0001')}|${place.timeMs}`;

/** One text for equal values, whatever the order they came in. */
export const valuesText = (values: Values): string =>
  Object.keys(values)
    .sort()
    .map((name) => `${name}=${(values[name] ?? Number.NaN) + 0}`) // -0 is 0
    .join(' ');

export const itemId = (host: string, epoch: number, seq: number, index: number): string =>
  `${host}:${epoch}:${seq}:${index}`;

export class Ledger {
  #items = new Map<string, Item>();
  #places = new Map<string, Item[]>();
  #differences: Difference[] = [];
  #counts = Object.fromEntries(Object.keys(differenceKinds).map((kind) => [kind, 0])) as Record<DifferenceKind, number>;
  #hosts = new Map<string, HostSums>();
  #memoryOnly: (host: string, timeMs: number) => boolean;
  #memoryPlaces = new Set<string>();

  constructor(options: { readonly memoryOnly?: (host: string, timeMs: number) => boolean } = {}) {
    this.#memoryOnly = options.memoryOnly ?? (() => false);
  }

  get size(): number {
    return this.#items.size;
  }

  /** A sample found on an agent's disk. The same one may be found in several files: it is counted once. */
  produced(sample: Produced): void {
    const id = itemId(sample.host, sample.epoch, sample.seq, sample.index);
    const values = valuesText(sample.values);
    const key = placeKey(sample);
    const before = this.#items.get(id);
    if (before) {
      if (before.values !== values || placeKey(before.of) !== key)
        this.#differ('two of one name', sample, id, `in ${before.of.segment} and in ${sample.segment}`);
      return;
    }
    const item: Item = { id, values, of: sample, stored: 0 };
    this.#items.set(id, item);
    const others = this.#places.get(key);
    if (others) others.push(item);
    else this.#places.set(key, [item]);
    this.#sums(sample.host).durable += 1;
  }

  /** A document of the store. */
  stored(document: Stored): void {
    const key = placeKey(document);
    const claims = this.#places.get(key) ?? [];
    const sums = this.#sums(document.host);
    const values = valuesText(document.values);
    const same = claims.filter((one) => one.values === values);
    if (same.length > 0 && !claims.some((one) => one.stored > 0)) {
      // Equal samples of one place cannot be told apart: the document is that of each of them.
      for (const one of same) one.stored = 1;
      sums.stored += same.length;
    } else if (same[0]) {
      same[0].stored += 1;
      this.#differ('stored twice', document, same[0].id, `again in ${document.index}`);
    } else if (claims[0]) {
      if (this.#takeFromMemory(document, key)) return;
      this.#differ('altered', document, claims[0].id, `stored: ${values}; on disk: ${claims[0].values}`);
    } else if (!this.#takeFromMemory(document, key))
      this.#differ('unknown', document, undefined, `in ${document.index}: ${values}`);
  }

  /**
   * To be called when all is told. `refused`: dead letters by id, with their reason. Of a sample that was refused and of one within a gap
   * nothing more is asked; one within a gap may be stored all the same, because its acknowledgement was lost.
   */
  finish(refused: ReadonlyMap<string, string>, gaps: readonly GapRange[]): Findings {
    const inGap = rangesByEpoch(gaps);
    for (const item of this.#items.values()) {
      const { of, id } = item;
      const isRefused = refused.has(id);
      const isGiven = inGap(of.host, of.epoch, of.seq);
      const sums = this.#sums(of.host);
      if (item.stored > 0) {
        if (isGiven) sums.storedInGap += 1;
        if (isRefused) this.#differ('stored and refused', of, id, refused.get(id) ?? '');
        continue;
      }
      if (isRefused) {
        sums.refused += 1;
        if (isGiven) sums.refusedInGap += 1;
      } else if (isGiven) sums.gap += 1;
      else this.#differ('lost', of, id, `${of.target} ${of.fields.join(':')} in ${of.segment}`);
    }
    for (const [id, reason] of refused) {
      if (this.#items.has(id)) continue;
      const host = id.slice(0, id.indexOf(':'));
      if (this.#hosts.has(host)) this.#differ('refused unknown', { host }, id, reason);
    }
    return { differences: this.#differences, counts: this.#counts, hosts: this.#hosts };
  }

  #takeFromMemory(document: Stored, key: string): boolean {
    if (!this.#memoryOnly(document.host, document.timeMs) || this.#memoryPlaces.has(key)) return false;
    this.#memoryPlaces.add(key);
    this.#sums(document.host).storedFromMemory += 1;
    return true;
  }

  #sums(host: string): HostSums {
    const found = this.#hosts.get(host);
    if (found) return found;
    const sums: HostSums = { ...noSums };
    this.#hosts.set(host, sums);
    return sums;
  }

  #differ(kind: DifferenceKind, of: { host: string; timeMs?: number }, id: string | undefined, story: string): void {
    this.#counts[kind] += 1;
    if (this.#counts[kind] <= keptOfEachKind)
      this.#differences.push({ kind, host: of.host, id, timeMs: of.timeMs, story });
  }
}

/** Whether this record lies within one of these gaps. */
export const rangesByEpoch = (gaps: readonly GapRange[]): ((host: string, epoch: number, seq: number) => boolean) => {
  const byEpoch = new Map<string, GapRange[]>();
  for (const gap of gaps) {
    const key = `${gap.host}:${gap.epoch}`;
    const list = byEpoch.get(key);
    if (list) list.push(gap);
    else byEpoch.set(key, [gap]);
  }
  return (host, epoch, seq) =>
    (byEpoch.get(`${host}:${epoch}`) ?? []).some((gap) => seq >= gap.firstSeq && seq <= gap.lastSeq);
};
