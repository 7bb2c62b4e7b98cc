/**
 * How two nodes prove to each other that they hold the mesh key, without sending it:
 *
 *   dialler                                            listener
 *   hello: versions, who I am, nonce        ───────►
 *                                           ◄───────   challenge: version, who I am, nonce; proof over both
 *   proof over both                         ───────►
 *                                           ◄───────   use (or refused: why)
 *
 * A proof is HMAC-SHA-256 under the mesh key over a label of its side and the very bytes of hello and challenge, so nothing said can be changed,
 * replayed (nonces) or reflected (labels). Nothing is decided on what an unproved peer says, except to refuse it.
 *
 * One connection per pair: of the two nodes the one with the smaller id decides (`decide`), once, for whichever connection it sees first;
 * it refuses the other as a duplicate. So two nodes dialling at once always end with the same one. Pure but for hashing.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Decoder, encode } from '@msgpack/msgpack';
import { z } from 'zod';
import { nodeInfoSchema } from './node-info.ts';
import type { NodeInfo } from './node-info.ts';

/**
 * History
 *   1  first version
 *   2  messages to and about actors
 */
export const linkVersions: readonly number[] = [1, 2];
export const actorsSinceVersion = 2;

export const refusalCodes = ['version', 'key', 'self', 'id-taken', 'stale', 'duplicate', 'busy', 'malformed'] as const;
export type RefusalCode = (typeof refusalCodes)[number];
/** `peer` is there only when it has proved itself. */
export type Refused = { code: RefusalCode; detail: string; peer?: NodeInfo };

const nonceBytes = 32;
const bytes = z.instanceof(Uint8Array);
const nonce = bytes.refine((value) => value.byteLength === nonceBytes);
const helloSchema = z.object({
  step: z.literal('hello'),
  versions: z.array(z.int()).max(20),
  node: z.unknown(),
  nonce: z.unknown(),
});
/** What follows the version may differ between versions: it is read only when we speak one of theirs. */
const helloBodySchema = z.object({ node: nodeInfoSchema, nonce });
const challengeSchema = z.object({ step: z.literal('challenge'), core: bytes, proof: bytes });
const coreSchema = z.object({ version: z.int(), node: nodeInfoSchema, nonce });
const proofSchema = z.object({ step: z.literal('proof'), proof: bytes });
const useSchema = z.object({ step: z.literal('use') });
const refusedSchema = z.object({ step: z.literal('refused'), code: z.enum(refusalCodes), detail: z.string().max(500) });

const decoder = new Decoder({
  maxArrayLength: 64,
  maxMapLength: 16,
  maxStrLength: 1024,
  maxBinLength: 2048,
  maxExtLength: 0,
});

const parse = (frame: Uint8Array): unknown => {
  try {
    return decoder.decode(frame);
  } catch {
    return undefined;
  }
};

const prove = (key: string, side: 'dialler' | 'listener', hello: Uint8Array, core: Uint8Array): Uint8Array => {
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(hello.byteLength, 0);
  lengths.writeUInt32BE(core.byteLength, 4);
  return createHmac('sha256', key).update(`thrum mesh ${side}\0`).update(lengths).update(hello).update(core).digest();
};

const proofHolds = (given: Uint8Array, expected: Uint8Array): boolean =>
  given.byteLength === expected.byteLength && timingSafeEqual(given, expected);

export type Verdict = { ok: true } | { ok: false; code: RefusalCode; detail: string };
export type Party = {
  readonly self: NodeInfo;
  readonly key: string;
  readonly nonce: Uint8Array;
  readonly versions?: readonly number[];
  /** Asked once per connection, about a peer that has proved itself. Saying ok claims the pair for this connection. */
  decide(peer: NodeInfo): Verdict;
};

/** What to do after a frame: send `send` if there, then wait on, be linked, or give up (and close). */
export type Step =
  | { state: 'going-on'; send?: Uint8Array }
  | { state: 'linked'; send?: Uint8Array; peer: NodeInfo; version: number }
  | { state: 'refused'; send?: Uint8Array; refused: Refused };

const refusalFrame = (code: RefusalCode, detail: string): Uint8Array =>
  encode({ step: 'refused', code, detail: detail.slice(0, 300) });

/** We refuse, and say why. */
const refuse = (code: RefusalCode, detail: string, peer?: NodeInfo): Step => ({
  state: 'refused',
  send: refusalFrame(code, detail),
  refused: { code, detail, ...(peer && { peer }) },
});

const malformed = (expected: string): Step => refuse('malformed', `expected a ${expected}`);

const namesSelf = (party: Party, peer: NodeInfo): Step | undefined => {
  if (peer.id !== party.self.id) return undefined;
  return peer.incarnation === party.self.incarnation
    ? refuse('self', 'this is the node itself')
    : refuse('id-taken', `node id ${peer.id} is taken by ${party.self.name} at ${party.self.address}`);
};

export type Handshake = { take(frame: Uint8Array): Step };

export const listenerHandshake = (party: Party): Handshake => {
  const versions = party.versions ?? linkVersions;
  let waiting: { peer: NodeInfo; version: number; expected: Uint8Array } | undefined;

  const takeHello = (frame: Uint8Array): Step => {
    const hello = helloSchema.safeParse(parse(frame));
    if (!hello.success) return malformed('hello');
    const version = Math.max(...versions.filter((one) => hello.data.versions.includes(one)));
    if (!Number.isFinite(version))
      return refuse('version', `we speak ${versions.join(', ')}, you speak ${hello.data.versions.join(', ')}`);
    const body = helloBodySchema.safeParse(hello.data);
    if (!body.success) return malformed('hello');
    const peer = body.data.node;
    const self = namesSelf(party, peer);
    if (self) return self;
    const core = encode({ version, node: party.self, nonce: party.nonce });
    waiting = { peer, version, expected: prove(party.key, 'dialler', frame, core) };
    return {
      state: 'going-on',
      send: encode({ step: 'challenge', core, proof: prove(party.key, 'listener', frame, core) }),
    };
  };

  return {
    take: (frame) => {
      if (!waiting) return takeHello(frame);
      const value = parse(frame);
      const gaveUp = refusedSchema.safeParse(value);
      if (gaveUp.success) return { state: 'refused', refused: { code: gaveUp.data.code, detail: gaveUp.data.detail } };
      const proof = proofSchema.safeParse(value);
      if (!proof.success) return malformed('proof');
      const { peer, version, expected } = waiting;
      if (!proofHolds(proof.data.proof, expected)) return refuse('key', 'the mesh keys differ', peer);
      const verdict = party.decide(peer);
      if (!verdict.ok) return refuse(verdict.code, verdict.detail, peer);
      return { state: 'linked', send: encode({ step: 'use' }), peer, version };
    },
  };
};

export const diallerHandshake = (party: Party): Handshake & { readonly hello: Uint8Array } => {
  const versions = party.versions ?? linkVersions;
  const hello = encode({ step: 'hello', versions, node: party.self, nonce: party.nonce });
  let linked: { peer: NodeInfo; version: number } | undefined;

  const takeChallenge = (value: unknown): Step => {
    const challenge = challengeSchema.safeParse(value);
    if (!challenge.success) return malformed('challenge');
    const core = coreSchema.safeParse(parse(challenge.data.core));
    if (!core.success || !versions.includes(core.data.version)) return malformed('challenge');
    if (!proofHolds(challenge.data.proof, prove(party.key, 'listener', hello, challenge.data.core)))
      return refuse('key', 'the mesh keys differ');
    const peer = core.data.node;
    const self = namesSelf(party, peer);
    if (self) return self;
    const verdict = party.decide(peer);
    if (!verdict.ok) return refuse(verdict.code, verdict.detail, peer);
    linked = { peer, version: core.data.version };
    return {
      state: 'going-on',
      send: encode({ step: 'proof', proof: prove(party.key, 'dialler', hello, challenge.data.core) }),
    };
  };

  return {
    hello,
    take: (frame) => {
      const value = parse(frame);
      const refusal = refusedSchema.safeParse(value);
      if (refusal.success)
        return {
          state: 'refused',
          refused: { code: refusal.data.code, detail: refusal.data.detail, ...(linked && { peer: linked.peer }) },
        };
      if (!linked) return takeChallenge(value);
      return useSchema.safeParse(value).success ? { state: 'linked', ...linked } : malformed('use');
    },
  };
};
