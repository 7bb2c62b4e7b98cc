/**
 * When to log that a connection was refused before its hello. Whoever reaches the port may cause hundreds a second, so each code is logged
 * at most once a minute; the next line says how many were left out. Codes are a closed list, which bounds what is kept here.
 */
import type { RefusalCode } from '@thrum/actors/wire/refusal';

export const quietMs = 60_000;

export class StrangerLog {
  #byCode = new Map<RefusalCode, { readonly loggedMs: number; leftOut: number }>();

  /** How many of this code were left out since the last line, if this one is to be logged; otherwise `undefined`. */
  worthLogging(code: RefusalCode, nowMs: number): { readonly leftOut: number } | undefined {
    const last = this.#byCode.get(code);
    if (last && nowMs - last.loggedMs < quietMs) {
      last.leftOut += 1;
      return undefined;
    }
    this.#byCode.set(code, { loggedMs: nowMs, leftOut: 0 });
    return { leftOut: last?.leftOut ?? 0 };
  }
}
