/** Everything of sign-in on one web node, started on what is there already: sessions, documents, links. */
import type { IncomingMessage } from 'node:http';
import type { Links } from '@thrum/actors/link/links';
import type { Sessions } from '@thrum/actors/sessions/sessions';
import type { ActorSystem } from '@thrum/actors/system/actor-system';
import { createHttpApi, type HttpApi } from './http-api.ts';
import { openLocalDoor } from './local-door.ts';
import { startSignIn, type SignIn } from './sign-in.ts';
import { createAccess, type Access } from './tab-guard.ts';
import type { UserDocuments } from './users.ts';
import { visitorOf } from './visitor.ts';

export type SignInParts = {
  documents: UserDocuments;
  sessions: Sessions;
  links: Links;
  system: ActorSystem;
  origins: ReadonlySet<string>;
  proxies: readonly string[];
  setUpToken: string | undefined;
  /** Where the local door is; without a directory there is none. */
  directory: string | undefined;
  /** Where people reach the dashboard, without a slash at its end. */
  dashboardUrl: string;
};

export type SignInRoom = {
  readonly api: HttpApi;
  readonly access: Access;
  isSignedIn(request: IncomingMessage): boolean;
  onSetUpKnown: SignIn['onSetUpKnown'];
  counters(): Record<string, number>;
  close(): Promise<void>;
};

/** Throws a `LocalDoorError` when the directory cannot be used. */
export const startSignInRoom = async (parts: SignInParts): Promise<SignInRoom> => {
  const { documents, sessions, links, system, origins, directory } = parts;
  const { clock } = system;
  const log = system.log.child({ room: 'sign-in' });
  const signIn = startSignIn({ documents, sessions, links, clock, log, setUpToken: parts.setUpToken });
  const door = { users: signIn.users, sessions, dashboardUrl: parts.dashboardUrl, clock, log };
  const closeDoor = directory === undefined ? undefined : await openLocalDoor({ ...door, directory });
  return {
    api: createHttpApi({ signIn, sessions, origins, proxies: new Set(parts.proxies), clock, log }),
    access: createAccess(sessions, origins),
    isSignedIn: (request) => visitorOf(request.headers, origins, sessions) !== undefined,
    onSetUpKnown: (listener) => signIn.onSetUpKnown(listener),
    counters: () => signIn.counters(),
    close: async () => {
      signIn.close();
      await closeDoor?.();
    },
  };
};
