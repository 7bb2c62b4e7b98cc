/** One batch on its way into a store: how many of its samples are not terminal yet, and what was refused of it. */
import type { RefusalCode } from '@thrum/actors/wire/refusal';
import type { Refused, WriteResult } from './store.ts';

export type OpenWrite = {
  readonly done: Promise<WriteResult>;
  /** So many samples are terminal, refused when a code is given. The last one settles the write. */
  end(samples: number, refused?: { code: RefusalCode; detail: string }): void;
  closed(): void;
};

/** A write of so many samples; with none it is done at once. */
export const openWrite = (samples: number, onEnd: (write: OpenWrite) => void): OpenWrite => {
  let left = samples;
  let settle: (result: WriteResult) => void = () => undefined;
  const refusedByCode = new Map<RefusalCode, Refused>();
  const done = new Promise<WriteResult>((resolve) => (settle = resolve));
  const finish = (): void => {
    settle({ ok: true, refused: [...refusedByCode.values()] });
    onEnd(write);
  };
  const write: OpenWrite = {
    done,
    end: (count, refused) => {
      if (refused) {
        const before = refusedByCode.get(refused.code);
        const detail = before?.detail ?? refused.detail;
        refusedByCode.set(refused.code, { code: refused.code, samples: (before?.samples ?? 0) + count, detail });
      }
      left -= count;
      if (left < 0) throw new Error('BUG: more samples of a batch became terminal than it has');
      if (left === 0) finish();
    },
    closed: () => settle({ ok: false, reason: 'closed' }),
  };
  return write;
};
