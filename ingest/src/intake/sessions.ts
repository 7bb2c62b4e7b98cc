/**
 * Which connection serves which host. The newest hello wins: if it comes from the same start of the same agent, that agent connected
 * again and its old connection is dead or forgotten; if not, the agent was started anew or there are two with one identity, and the
 * older is told so. Whoever is told stops, so clones do not fight.
 */
import { rules, type Greeting, type IntakeRules } from './rules.ts';

export type Holder = { replaced(quietly: boolean): void };

export class Sessions<H extends Holder = Holder> {
  #byHost = new Map<string, { readonly greeting: Greeting; readonly holder: H }>();
  #rules: Pick<IntakeRules, 'newestHelloWins'>;

  constructor(own: Pick<IntakeRules, 'newestHelloWins'> = rules) {
    this.#rules = own;
  }

  add(hostId: string, greeting: Greeting, holder: H): void {
    const before = this.#byHost.get(hostId);
    const isQuiet = before?.greeting.boot === greeting.boot;
    if (before && !this.#rules.newestHelloWins(before.greeting, greeting)) return holder.replaced(isQuiet);
    this.#byHost.set(hostId, { greeting, holder });
    before?.holder.replaced(isQuiet);
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
