/**
 * A summary of all records by which two nodes see whether they hold the same, and where not: 64 bits for each of 80 buckets, the XOR of the
 * hashes of what lies in it, so that a change costs one hash. Not against forgers (nodes of a mesh trust each other), only against chance.
 */
import { hash } from 'node:crypto';

export type BucketHash = readonly [number, number];

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const userBuckets = 16;
export const bucketCount = alphabet.length + userBuckets;

export const sessionBucket = (id: string): number => Math.max(0, alphabet.indexOf(id.charAt(0)));
export const userBucket = (user: string): number =>
  alphabet.length + (Number.parseInt(hash('sha256', user, 'hex').slice(0, 2), 16) % userBuckets);

export const isUserBucket = (bucket: number): boolean => bucket >= alphabet.length;

/** Of a record in its written form. */
export const recordHash = (packed: unknown): BucketHash => {
  // As text: Node makes it in half the time of a buffer.
  const hex = hash('sha256', JSON.stringify(packed), 'hex');
  return [Number.parseInt(hex.slice(0, 8), 16), Number.parseInt(hex.slice(8, 16), 16)];
};

export class Digest {
  readonly #low = new Uint32Array(bucketCount);
  readonly #high = new Uint32Array(bucketCount);

  /** Puts a record in, or takes it out again. */
  toggle(bucket: number, [low, high]: BucketHash): void {
    this.#low[bucket] = (this.#low[bucket] ?? 0) ^ low;
    this.#high[bucket] = (this.#high[bucket] ?? 0) ^ high;
  }

  buckets(): BucketHash[] {
    return Array.from(this.#low, (low, at) => [low, this.#high[at] ?? 0]);
  }

  text(): string {
    return hash('sha256', Buffer.concat([Buffer.from(this.#low.buffer), Buffer.from(this.#high.buffer)]), 'base64url');
  }

  /** Buckets in which somebody else's hashes are not ours. */
  differing(theirs: readonly BucketHash[]): number[] {
    return this.buckets().flatMap(([low, high], at) => {
      const [otherLow, otherHigh] = theirs[at] ?? [0, 0];
      return low === otherLow && high === otherHigh ? [] : [at];
    });
  }
}
