/** What nodes tell each other about members. Parsed once, on the way in; bounded, so that no peer can fill us. */
import { z } from 'zod';
import { nodeInfoSchema } from '../link/node-info.ts';

/** Nodes known at a time, dead ones of the last day included. More than any mesh has. */
export const maxKnown = 1000;

const idSchema = z.string().min(1).max(100);
const claimSchema = z.object({
  node: nodeInfoSchema,
  incarnation: z.int().nonnegative(),
  state: z.enum(['alive', 'dead', 'left']),
  why: z.string().max(300),
  /** How long ago the one who decided did so. An age, so that no clocks are compared. */
  agoMs: z.number().nonnegative(),
});
const sightSchema = z.object({
  id: idSchema,
  incarnation: z.int().nonnegative(),
  /** Null: never. */
  heardAgoMs: z.number().nonnegative().nullable(),
  linked: z.boolean(),
  refused: z.boolean(),
});

export const messageSchema = z.discriminatedUnion('kind', [
  /** `answer`: the sender wants ours in return. */
  z.object({ kind: z.literal('claims'), claims: z.array(claimSchema).max(maxKnown), answer: z.boolean() }),
  z.object({ kind: z.literal('digest'), digest: z.string().max(100) }),
  /** What the sender saw itself. `doubts`: it stood still and vouches for nothing but what it heard since. `ask`: it wants ours of the same nodes. */
  z.object({
    kind: z.literal('sights'),
    sights: z.array(sightSchema).max(maxKnown),
    doubts: z.boolean(),
    ask: z.boolean(),
  }),
]);

export type Claim = Readonly<z.infer<typeof claimSchema>>;
export type Sight = Readonly<z.infer<typeof sightSchema>>;
export type MembershipMessage = Readonly<z.infer<typeof messageSchema>>;
