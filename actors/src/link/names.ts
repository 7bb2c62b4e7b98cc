/** Which actors are known by which name: this node's own, and what each linked node says of its own. Bounded per node; pure. */
import { nameLimits } from './messages.ts';

export type OwnName = { readonly actor: object; readonly id: number };

export class Names<Remote> {
  readonly own = new Map<string, OwnName>();
  readonly #remote = new Map<string, Map<string, Remote>>();

  /** Throws when the name is no name or taken, or there are too many: mistakes of the caller. */
  add(name: string, own: OwnName): void {
    if (name.length < 1 || name.length > nameLimits.chars)
      throw new Error(`name ${name.slice(0, 50)}: expected 1 to ${nameLimits.chars} characters`);
    if (this.own.has(name)) throw new Error(`name ${name}: a living actor of this node has it`);
    if (this.own.size >= nameLimits.perNode) throw new Error(`name ${name}: this node has ${nameLimits.perNode} names`);
    this.own.set(name, own);
  }

  /** True when it was this actor's until now. */
  remove(name: string, id: number): boolean {
    return this.own.get(name)?.id === id && this.own.delete(name);
  }

  /** False: this node has said too many names. */
  learn(nodeId: string, name: string, remote: Remote): boolean {
    const names = this.#remote.get(nodeId) ?? new Map<string, Remote>();
    if (!names.has(name) && names.size >= nameLimits.perNode) return false;
    this.#remote.set(nodeId, names.set(name, remote));
    return true;
  }

  unlearn(nodeId: string, name: string): void {
    this.#remote.get(nodeId)?.delete(name);
  }

  forget(nodeId: string): void {
    this.#remote.delete(nodeId);
  }

  /** Of other nodes, by node id. */
  find(name: string): [nodeId: string, remote: Remote][] {
    const found: [string, Remote][] = [];
    for (const [nodeId, names] of this.#remote) {
      const remote = names.get(name);
      if (remote !== undefined) found.push([nodeId, remote]);
    }
    return found.sort(([one], [other]) => (one < other ? -1 : 1));
  }

  get remoteSize(): number {
    let size = 0;
    for (const names of this.#remote.values()) size += names.size;
    return size;
  }
}
