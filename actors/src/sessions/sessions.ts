/** Types first; the implementation follows. */
import type { Links } from '../link/links.ts';
import type { ActorSystem } from '../system/actor-system.ts';
import type { SessionRules } from './rules.ts';

export type Session = {
  /** SHA-256 of the sid, base64url; safe to log. */
  readonly id: string;
  readonly user: string;
  readonly generation: number;
  readonly createdMs: number;
  /** Absolute, never changes. */
  readonly expiresMs: number;
};

export type EndReason = 'signed-out' | 'expired' | 'idle' | 'user-changed';

export type Sessions = {
  /**
   * A new session. `sid` goes into the cookie and nowhere else. Resolves when one other web node has it or after 300 ms (at once when alone), and
   * it is on disk. Throws a `SessionsError`: `full` (too many sessions), `user-changed` (the generation has ended already).
   */
  open(options: { user: string; generation: number }): Promise<{ sid: string; session: Session }>;
  /** undefined: unknown, expired or revoked. Counts as use (conflated). */
  check(sid: string): Session | undefined;
  isAlive(id: string): boolean;
  /** Resolves when all linked web nodes have confirmed, or after 1 s; durable here before that. */
  revoke(id: string): Promise<void>;
  /** All sessions of the user with a smaller generation end, everywhere, also ones this node has not heard of yet. Grow-only. */
  endBefore(user: string, generation: number): Promise<void>;
  ofUser(user: string): readonly Session[];
  /** Once per session that ends here, however that came about (also by another node). */
  onEnd(listener: (session: Session, why: EndReason) => void): () => void;
  digest(): string;
  counters(): Record<string, number>;
  close(): Promise<void>;
};

export type SessionsOptions = {
  links: Links;
  system: ActorSystem;
  /** undefined: memory only. */
  directory: string | undefined;
  randomBytes?: (n: number) => Uint8Array;
  rules?: Partial<SessionRules>;
};

export const startSessions = (options: SessionsOptions): Promise<Sessions> =>
  Promise.reject(new Error(`sessions are not there yet (${options.links.self.id})`));
