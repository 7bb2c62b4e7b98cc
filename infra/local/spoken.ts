/**
 * What programs say on stderr, as a person at a launcher sees it: a line each, behind the program's name. Programs that are started at
 * once warn that they do not find one another yet; that is held back until everything is up, and of interest only if it never is.
 */
import { terminalLine } from '@thrum/actors/system/terminal-line';

const maxHeldLines = 200;

export type Spoken = {
  readonly say: (name: string, line: string) => void;
  /** Everything is up: what was held back is forgotten, and from now on every line is shown. */
  readonly up: () => void;
  /** It will not be: shows what was held back. */
  readonly failed: () => void;
};

/** `holdBack: false` shows everything at once, for who asked for a level of logging. */
export const spokenTo = (write: (text: string) => void, holdBack: boolean): Spoken => {
  let held: string[] | undefined = holdBack ? [] : undefined;
  return {
    say: (name, line) => {
      const text = `${name.padEnd(8)} ${terminalLine(line).trimEnd()}\n`;
      if (held && held.length < maxHeldLines && line.includes('"level":"warn"')) held.push(text);
      else write(text);
    },
    up: () => {
      held = undefined;
    },
    failed: () => {
      for (const text of held ?? []) write(text);
      held = undefined;
    },
  };
};
