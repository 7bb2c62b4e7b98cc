/**
 * The one-time link by which the first user of an installation is made. Its token is new with every start, known to the launcher and its web nodes
 * only, and stands behind the "#" of the link: browsers never send that part, so no log has it.
 */
import { randomBytes } from 'node:crypto';
import { systemClock } from '@thrum/actors/system/clock';

const tokenBytes = 32;

/** What a web node says once the store has told it whether there are users. */
export type SetUpNeed = 'needed' | 'done';

export const makeSetUpToken = (): string => randomBytes(tokenBytes).toString('base64url');

/** `undefined` for any line that does not say it. */
export const parseSetUpLine = (line: string): SetUpNeed | undefined => {
  if (line === '{"setUp":"needed"}') return 'needed';
  return line === '{"setUp":"done"}' ? 'done' : undefined;
};

export const setUpLink = (dashboardUrl: string, token: string): string => `${dashboardUrl}/set-up#${token}`;

export type SetUpWord = {
  /** Takes a line that a web node printed. */
  readonly hear: (line: string) => void;
  /** What is known now. */
  readonly need: () => SetUpNeed | undefined;
  /** Resolves as soon as it is known, or after `withinMs` with what is known then. */
  readonly known: (withinMs: number) => Promise<SetUpNeed | undefined>;
  /** Called once, when it is known. */
  readonly onKnown: (listener: (need: SetUpNeed) => void) => void;
};

/** The latest word of any web node; "done" is the last one. */
export const listenForSetUp = (clock = systemClock): SetUpWord => {
  let need: SetUpNeed | undefined;
  const listeners: ((need: SetUpNeed) => void)[] = [];
  const onKnown: SetUpWord['onKnown'] = (listener) => {
    if (need === undefined) listeners.push(listener);
    else listener(need);
  };
  return {
    hear: (line) => {
      const said = parseSetUpLine(line);
      if (said === undefined || need === 'done') return;
      need = said;
      for (const listener of listeners.splice(0)) listener(said);
    },
    need: () => need,
    known: (withinMs) =>
      new Promise((resolve) => {
        const late = clock.after(withinMs, () => resolve(need));
        onKnown((said) => {
          late.cancel();
          resolve(said);
        });
      }),
    onKnown,
  };
};

/** What stands behind "Dashboard" for a person; the second line only while nobody has been set up. */
export const dashboardLines = (dashboardUrl: string, token: string, need: SetUpNeed | undefined): readonly string[] => {
  if (need === 'needed')
    return [
      `  Dashboard      ${setUpLink(dashboardUrl, token)}`,
      '                 (works once: choose your name and password there; later it is the address before "set-up")',
    ];
  const line = `  Dashboard      ${dashboardUrl}/`;
  return need === 'done'
    ? [line]
    : [line, '                 (the store does not answer yet; if nobody has signed in before, a link follows)'];
};
