/**
 * The dictionaries agents declared, by hash. A fleet of one version shares one, so an agent that connects rarely has to send its own.
 * The hash is always computed from the content here, so nobody can plant a dictionary under a name that is not its own. Bounded: the
 * one not used for longest goes; sessions keep what they use.
 */
import { dictionarySchema } from '@thrum/actors/wire/agent-to-ingest';
import { checkDictionary, dictionaryHash, fitsTarget, toWire, type Dictionary } from '@thrum/actors/wire/dictionary';
import type { WireTarget } from '@thrum/actors/wire/dictionary';
import { limits } from '@thrum/actors/wire/limits';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import type { Target } from '@thrum/actors/wire/schema';
import { firstProblem } from './first-problem.ts';

/** Some 20 KB each; a fleet in the middle of an upgrade has two or three. */
const maxDictionaries = 256;

export class Dictionaries {
  #catalogue: ReadonlyMap<string, WireTarget>;
  #known = new Map<string, Dictionary>();

  constructor(catalogue: readonly Target[]) {
    this.#catalogue = new Map(catalogue.map((target) => [target.name, toWire(target)]));
  }

  isKnownTarget(name: string): boolean {
    return this.#catalogue.has(name);
  }

  find(hash: string): Dictionary | undefined {
    const found = this.#known.get(hash);
    if (found) {
      this.#known.delete(hash);
      this.#known.set(hash, found);
    }
    return found;
  }

  /** Checks what an agent declared and keeps it. Targets the catalogue does not know are fine here; their samples are refused. */
  declare(message: unknown): { readonly ok: true; readonly dictionary: Dictionary } | Refusal {
    const parsed = dictionarySchema.safeParse(message);
    if (!parsed.success) return refuse('malformed', `dictionary: ${firstProblem(parsed.error)}`);
    const { hash, targets } = parsed.data;
    const checked = checkDictionary(targets);
    if (!checked.ok) return checked;
    if (JSON.stringify(targets).length > limits.maxDictionaryBytes) return refuse('too-large', 'dictionary');
    if (dictionaryHash(targets) !== hash) return refuse('malformed', 'dictionary: the hash is not that of its targets');
    const conflict = targets.find((one) => {
      const ours = this.#catalogue.get(one.name);
      return ours !== undefined && !fitsTarget(ours, one);
    });
    if (conflict) return refuse('schema-conflict', `target ${conflict.name}`);
    const dictionary = { hash, targets };
    this.#known.set(hash, dictionary);
    const oldest = this.#known.size > maxDictionaries ? this.#known.keys().next().value : undefined;
    if (oldest !== undefined) this.#known.delete(oldest);
    return { ok: true, dictionary };
  }

  get size(): number {
    return this.#known.size;
  }
}
