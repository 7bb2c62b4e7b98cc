/** Who a node is, as it says in the handshake and as peers pass it on. */
import { z } from 'zod';

/** `host:port`, an IPv6 host in brackets. */
export const addressSchema = z.string().regex(/^(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):\d{1,5}$/);

export const nodeInfoSchema = z.strictObject({
  /** Unique in the mesh. Of two living nodes with one id the second is refused. */
  id: z.string().regex(/^[\x21-\x7e]{1,100}$/),
  name: z.string().min(1).max(200),
  role: z.enum(['ingest', 'web']),
  /** Grows with every start of a node (its wall clock then): the larger one replaces the smaller. */
  incarnation: z.int().nonnegative(),
  /** Where it listens for peers. */
  address: addressSchema,
});

export type NodeInfo = Readonly<z.infer<typeof nodeInfoSchema>>;
