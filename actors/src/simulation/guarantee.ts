/**
 * What a guarantee is to the simulator: something the mesh is given to do, and what must hold at every moment and once faults are over. One file
 * per guarantee in `guarantees/`, one line in `guarantees.ts`.
 */
import type { Mesh, SimNode } from './mesh.ts';

export type Surroundings = {
  readonly mesh: Mesh;
  /** The promise is broken: the run ends here. */
  readonly broken: (detail: string) => void;
  /** Of the trace: both what is printed and what is hashed. */
  readonly note: (words: string) => void;
};

/** Something that must become so once faults are over, and stay so. `unsettled` says in words what is not so yet. */
export type Settles = {
  readonly what: string;
  readonly withinMs: number;
  /** Counted from the end of faults, or from when all nodes that run have been linked to each other since. */
  readonly after: 'rest' | 'healthy';
  unsettled(): string | undefined;
};

export type Guarantee = {
  /** All of its rooms run there now; called within the node's life. */
  started?(node: SimNode): void;
  /** It has told everybody that it leaves; it ends a moment later. */
  left?(node: SimNode): void;
  ended?(node: SimNode): void;
  /** Gives the node something to do, decided by `random`. Called within the node's life. Says in words what it was. */
  work?(node: SimNode, random: () => number): string | undefined;
  /** Several times a second of virtual time. */
  look?(): void;
  readonly settles?: readonly Settles[];
};

export type GuaranteeMaker = {
  readonly name: string;
  readonly works: boolean;
  readonly make: (around: Surroundings) => Guarantee;
};
