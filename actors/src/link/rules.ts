/**
 * What the links and the actors across them guarantee, decision by decision. Pure and small, gathered so that a simulation may replace one by
 * a wrong variant and see whether anybody notices.
 */

/** One life of a node. Ids of actors and of questions mean something within it alone. */
export type Life = { readonly id: string; readonly incarnation: number };

export type LinkRules = {
  /** Of what waits for a peer, the message told first goes first, whatever its urgency: the order within a link. */
  goesFirst(firmOrder: number, droppableOrder: number): 'firm' | 'droppable';
  /** Whether what waits droppable makes room for this message in a full outbox. */
  makesRoom(urgency: 'control' | 'ordinary' | 'droppable'): boolean;
  /** Only the life a reference was made in is reached by it: in a later one the same id is another actor's. */
  reaches(made: Life, linked: Life | undefined): boolean;
  /** Who may answer a question: the node it was put to, in the life it was put to. */
  mayAnswer(asked: Life, from: Life): boolean;
  /** Whether watching this actor is answered by a DOWN at once. `known`: it lives, and a reference to it was told before. */
  isGone(known: boolean): boolean;
  /** Whether a watch is over after its first DOWN. */
  endsWatch(): boolean;
  /** Whether what is watched is lost with the link to this node. */
  isLostWith(watched: Life, down: Life): boolean;
  /** Whether names a node has said stay known when the link to it goes down. */
  keepsNames(): boolean;
  /** An actor known by name serves everybody: no peer may stop it. */
  mayStop(named: boolean): boolean;
};

export const rules: LinkRules = {
  goesFirst: (firmOrder, droppableOrder) => (firmOrder < droppableOrder ? 'firm' : 'droppable'),
  makesRoom: (urgency) => urgency !== 'control',
  reaches: (made, linked) => linked?.id === made.id && linked.incarnation === made.incarnation,
  mayAnswer: (asked, from) => asked.id === from.id && asked.incarnation === from.incarnation,
  isGone: (known) => !known,
  endsWatch: () => true,
  isLostWith: (watched, down) => watched.id === down.id,
  keepsNames: () => false,
  mayStop: (named) => !named,
};
