/**
 * Who may connect at this moment. Pure: the time is passed in. Three bounds: handshakes per second (a token bucket, so that a whole
 * fleet that comes back at once is let in at a pace this node can keep; a node that comes late to its own timers lets in fewer until it keeps up), connections altogether, and connections that have not said a
 * valid hello, together and per address (an address may be a balancer with a whole fleet behind it, so greeted ones are not counted).
 */
export type AdmissionLimits = {
  /** Raising it lets a fleet return faster, and costs CPU in which the connected agents wait: 1 to 3 ms each, with the hello and what it changes. */
  readonly handshakesPerSecond: number;
  /** So many may come in one turn of the event loop; who is beyond waits in line. */
  readonly burst: number;
  /** Each connected agent costs about 80 KB here. */
  readonly maxConnections: number;
  /**
   * Each may hold 64 KiB of a message half received, for the seconds until its hello is overdue. And their hellos may come all at once, when whoever
   * sends them was held up: a node that has just started took 4 s for 500 of them, and its balancer took it for dead and cut off everybody.
   */
  readonly maxWaiting: number;
  readonly maxWaitingPerAddress: number;
};

export const admissionDefaults: AdmissionLimits = {
  handshakesPerSecond: 200,
  burst: 20,
  maxConnections: 10_000,
  maxWaiting: 400,
  maxWaitingPerAddress: 100,
};

/** How often a node looks whether it comes late; from `lateMs` on it does. */
export const lookEveryMs = 100;
const lateMs = 80;
/** A node that is late for other reasons than handshakes still lets in this part of them. */
const leastPart = 1 / 8;
/** Back from the least to all of them within three seconds. */
const partPerLook = 1 / 32;

/** `mayWait`: it may be otherwise within moments. */
export type Admitted =
  { readonly ok: true } | { readonly ok: false; readonly reason: string; readonly mayWait: boolean };

const notNow = (reason: string, mayWait = true): Admitted => ({ ok: false, reason, mayWait });

export class Admission {
  #limits: AdmissionLimits;
  #tokens: number;
  #countedMs: number;
  #part = 1;
  #connections = 0;
  #waiting = 0;
  #waitingAt = new Map<string, number>();

  constructor(limits: AdmissionLimits, nowMs: number) {
    this.#limits = limits;
    this.#tokens = limits.burst;
    this.#countedMs = nowMs;
  }

  /** May a handshake from this address go on? Takes a token if so. */
  knock(address: string, nowMs: number): Admitted {
    const verdict = this.judge(address, nowMs);
    if (verdict.ok) this.#tokens -= 1;
    return verdict;
  }

  /** What `knock` would say. */
  judge(address: string, nowMs: number): Admitted {
    const { maxConnections, maxWaiting, maxWaitingPerAddress } = this.#limits;
    this.#refill(nowMs);
    if (this.#connections >= maxConnections) return notNow('too many connections', false);
    if (this.#waiting >= maxWaiting) return notNow('too many connections without a hello');
    if ((this.#waitingAt.get(address) ?? 0) >= maxWaitingPerAddress)
      return notNow('too many connections without a hello from one address');
    return this.#tokens < 1 ? notNow('too many handshakes at once') : { ok: true };
  }

  /** To be told every `lookEveryMs`, and by how much that was late. */
  looked(byMs: number, nowMs: number): void {
    this.#refill(nowMs);
    if (byMs < lateMs) this.#part = Math.min(1, this.#part + partPerLook);
    else {
      this.#part = Math.max(leastPart, this.#part / 2);
      this.#tokens = Math.min(this.#tokens, this.#limits.burst * this.#part);
    }
  }

  #refill(nowMs: number): void {
    const { handshakesPerSecond, burst } = this.#limits;
    const more = ((nowMs - this.#countedMs) / 1000) * handshakesPerSecond * this.#part;
    this.#tokens = Math.min(Math.max(1, burst * this.#part), this.#tokens + more);
    this.#countedMs = nowMs;
  }

  /** A connection stands. Call what this returns once with `greeted` when its hello was good, and once with `gone` at its end. */
  enter(address: string): { greeted: () => void; gone: () => void } {
    this.#connections += 1;
    this.#waiting += 1;
    this.#waitingAt.set(address, (this.#waitingAt.get(address) ?? 0) + 1);
    let waiting = true;
    let here = true;
    const greeted = (): void => {
      if (!waiting) return;
      waiting = false;
      this.#waiting -= 1;
      const left = (this.#waitingAt.get(address) ?? 1) - 1;
      if (left === 0) this.#waitingAt.delete(address);
      else this.#waitingAt.set(address, left);
    };
    const gone = (): void => {
      if (!here) return;
      here = false;
      greeted();
      this.#connections -= 1;
    };
    return { greeted, gone };
  }

  get connections(): number {
    return this.#connections;
  }

  /** Of the handshakes a second that this node takes when it is not late. */
  get part(): number {
    return this.#part;
  }

  /** Handshakes it takes now. */
  get perSecond(): number {
    return this.#limits.handshakesPerSecond * this.#part;
  }

  get waiting(): number {
    return this.#waiting;
  }
}
