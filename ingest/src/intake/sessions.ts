/**
 * Which connection serves which host. The newest hello wins: if it comes from the same start of the same agent, that agent connected
 * again and its old connection is dead or forgotten; if not, the agent was started anew or there are two with one identity, and the
 * older is told so. Whoever is told stops, so clones do not fight.
 */
export type Holder = { replaced(quietly: boolean): void };

export class Sessions<H extends Holder = Holder> {
  #byHost = new Map<string, { readonly boot: string; readonly holder: H }>();

  add(hostId: string, boot: string, holder: H): void {
    const before = this.#byHost.get(hostId);
    this.#byHost.set(hostId, { boot, holder });
    before?.holder.replaced(before.boot === boot);
  }

  find(hostId: string): H | undefined {
    return this.#byHost.get(hostId)?.holder;
  }

  /** Of no effect when another connection took the host over. */
  remove(hostId: string, holder: H): void {
    if (this.#byHost.get(hostId)?.holder === holder) this.#byHost.delete(hostId);
  }

  get size(): number {
    return this.#byHost.size;
  }
}
