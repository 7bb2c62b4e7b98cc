/**
 * One actor per connected agent. A crash ends its connection and nothing else: the agent connects again and gets a new actor, which is
 * the restart that keeps both sides agreed on what was said. (Restarting in place would face an agent in mid-conversation with a node
 * that has forgotten its hello.)
 */
import type { ActorSpec } from '@thrum/actors/system/actor-system';
import { window } from './flights.ts';
import { Session } from './session.ts';
import type { Peer, Surroundings } from './surroundings.ts';

export type SessionMessage =
  | { readonly kind: 'said'; readonly event: string; readonly args: readonly unknown[] }
  | { readonly kind: 'heard' }
  | { readonly kind: 'overdue' }
  | { readonly kind: 'replaced'; readonly quietly: boolean }
  | { readonly kind: 'superseded' }
  | { readonly kind: 'pace' }
  | { readonly kind: 'leave' }
  | { readonly kind: 'gone'; readonly unheard: boolean };

/** Messages waiting for one agent's actor: its window several times over; who sends more is refused as too fast. */
export const maxMailbox = window * 8;

export const sessionActor = (name: string, around: Surroundings, peer: Peer): ActorSpec<SessionMessage, Session> => ({
  name,
  mailbox: { max: maxMailbox, whenFull: 'refuse' },
  restart: { times: 0, withinMs: 1000 },
  start: () => new Session(around, peer),
  receive: (session, message) => {
    if (message.kind === 'said') session.said(message.event, message.args);
    else if (message.kind === 'heard') session.heard();
    else if (message.kind === 'overdue') session.overdue();
    else if (message.kind === 'replaced') session.replaced(message.quietly);
    else if (message.kind === 'superseded') session.superseded();
    else if (message.kind === 'pace') session.pace();
    else if (message.kind === 'leave') session.leave();
    else session.gone(message.unheard);
    return session;
  },
  stop: (session) => session.gone(false),
});
