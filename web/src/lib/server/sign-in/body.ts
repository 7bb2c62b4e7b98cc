/** The body of a small JSON request: bounded in bytes and in time, so that neither a flood nor a drip of bytes holds anything for long. */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '@thrum/actors/system/clock';

export const bodyLimits = { maxBytes: 4096, withinMs: 5000 } as const;

export type Body =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly status: 400 | 408 | 413 | 415; readonly detail: string };

const tooLarge: Body = { ok: false, status: 413, detail: `a body of more than ${bodyLimits.maxBytes} bytes` };

/** Never rejects. After anything but ok the rest of the request is not read: its connection is to be closed. */
export const readJson = (request: IncomingMessage, clock: Clock): Promise<Body> => {
  const type = request.headers['content-type'] ?? '';
  // Also what keeps a form of another site out: a browser asks before it sends this type across sites, and is told no.
  if (!/^application\/json(;\s*charset=utf-8)?$/i.test(type) || request.headers['content-encoding'] !== undefined)
    return Promise.resolve({ ok: false, status: 415, detail: 'the body must be application/json, not compressed' });
  if (Number(request.headers['content-length'] ?? 0) > bodyLimits.maxBytes) return Promise.resolve(tooLarge);
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const finish = (body: Body): void => {
      late.cancel();
      request.off('data', take);
      resolve(body);
    };
    const take = (part: Buffer): void => {
      bytes += part.length;
      if (bytes > bodyLimits.maxBytes) finish(tooLarge);
      else parts.push(part);
    };
    const late = clock.after(bodyLimits.withinMs, () =>
      finish({ ok: false, status: 408, detail: `the body did not come within ${bodyLimits.withinMs / 1000} s` }),
    );
    request.on('data', take);
    request.once('close', () => finish({ ok: false, status: 400, detail: 'the body was cut off' }));
    request.once('error', () => finish({ ok: false, status: 400, detail: 'the body was cut off' }));
    request.once('end', () => {
      try {
        finish({ ok: true, value: JSON.parse(Buffer.concat(parts).toString('utf8')) });
      } catch {
        finish({ ok: false, status: 400, detail: 'the body is no JSON' });
      }
    });
  });
};
