/** One batch, or one message of events, on its way into a store: whose it is, how many of its items are not terminal yet, what was refused of it. */
import type { RefusalCode } from '@thrum/actors/wire/refusal';
import type { Origin, Refused, WriteResult } from './store.ts';

export type OpenWrite = {
  readonly origin: Origin;
  readonly done: Promise<WriteResult>;
  /** So many items are terminal, refused when a code is given. The last one settles the write. */
  end(items: number, refused?: { readonly code: RefusalCode; readonly detail: string }): void;
  closed(): void;
};

/** A write of at least one item. */
export const openWrite = (origin: Origin, items: number, onEnd: (write: OpenWrite) => void): OpenWrite => {
  let left = items;
  let settle: (result: WriteResult) => void = () => undefined;
  const refusedByCode = new Map<RefusalCode, Refused>();
  const done = new Promise<WriteResult>((resolve) => (settle = resolve));
  const finish = (): void => {
    settle({ ok: true, refused: [...refusedByCode.values()] });
    onEnd(write);
  };
  const write: OpenWrite = {
    origin,
    done,
    end: (count, refused) => {
      if (refused) {
        const before = refusedByCode.get(refused.code);
        const detail = before?.detail ?? refused.detail;
        refusedByCode.set(refused.code, { code: refused.code, samples: (before?.samples ?? 0) + count, detail });
      }
      left -= count;
      if (left < 0) throw new Error('BUG: more of a write became terminal than it has');
      if (left === 0) finish();
    },
    closed: () => settle({ ok: false, reason: 'closed' }),
  };
  return write;
};
