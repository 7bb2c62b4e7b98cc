/** Where libfaketime lies, which gives one program a clock of its own (Debian package libfaketime). Only tests use it. */
import { globSync } from 'node:fs';

/** The library for programs with threads; `undefined` when it is not installed, and where there is none. */
export const fakeClockLibrary = (): string | undefined =>
  globSync(['/usr/lib/*/faketime/libfaketimeMT.so.1', '/usr/lib/faketime/libfaketimeMT.so.1'])[0];
