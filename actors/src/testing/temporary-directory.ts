/** A directory of a test's own, removed when the test ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const temporaryDirectory = (t: { after(run: () => void): void }): string => {
  const path = mkdtempSync(join(tmpdir(), 'thrum-test-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
};
