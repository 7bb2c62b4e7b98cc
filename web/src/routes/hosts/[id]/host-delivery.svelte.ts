/**
 * What the page of a host tells of its delivery: where its samples are, how that stands, what happened lately, and which holes in its charts
 * that explains. Loaded once the charts are there: who looks at a host first wants to see how it is.
 */
import { dependsOn } from '#lib/reactivity/depends-on.ts';
import type { KnownHole } from '#lib/charts/known-holes.ts';
import { dashboard } from '#lib/live/dashboard.svelte.ts';
import { HostEvents } from '#lib/live/host-events.svelte.ts';
import { pageClock } from '#lib/live/page-clock.svelte.ts';
import { deliveryOf, drainPerSecond, figuresOf, type Delivery, type DeliveryFigures } from './delivery.ts';
import { sayDelivery, type DeliverySaid } from './delivery-words.ts';
import { holesOf } from './event-list.ts';
import type { HostView } from './host-view.svelte.ts';

/** How far back the newest figures are looked for. */
const lookBackTicks = 60;
/** A connection this young probably left events that are not in the store yet. */
const justNowMs = 60_000;

export type Told = { readonly figures: DeliveryFigures; readonly delivery: Delivery; readonly said: DeliverySaid };

export class HostDelivery {
  readonly view: HostView;
  readonly events: HostEvents;
  /** Stretches without samples of which the events know why. */
  readonly holes: readonly KnownHole[] = $derived.by(() => holesOf(this.events.list ?? []));
  /** `undefined` for an agent that tells nothing of it. */
  readonly told: Told | undefined = $derived.by(() => this.#tell());
  /** A change of it probably left an event. */
  readonly happened: string = $derived.by(() => {
    const entry = dashboard.fleet.host(this.view.hostId)?.entry;
    return `${entry?.epoch} ${entry?.connection} ${this.told?.figures.missing}`;
  });

  constructor(view: HostView) {
    this.view = view;
    this.events = new HostEvents(view.hostId, (question) => dashboard.askEvents(question));
    // Who comes because something has just happened finds it told a moment later.
    const sinceMs = dashboard.fleet.host(view.hostId)?.entry.sinceMs ?? 0;
    if (view.nowMs() - sinceMs < justNowMs) this.events.hint(performance.now());
  }

  /** To be called often. */
  tick(nowMs: number): void {
    if (dashboard.greeted) this.events.tick(nowMs, dashboard.wallMs(nowMs));
  }

  #tell(): Told | undefined {
    const { recording, watch } = this.view;
    dependsOn(watch?.version);
    const slotOf = (metric: string): number | undefined => recording?.slot('agent', [], metric);
    const figures = figuresOf((metric) => {
      const slot = slotOf(metric);
      return slot === undefined ? undefined : recording?.newest(slot, lookBackTicks);
    });
    const host = dashboard.fleet.host(this.view.hostId);
    const queued = slotOf('samples_queued');
    if (!host || !figures || !recording || queued === undefined) return undefined;
    const nowMs = pageClock.nowMs;
    const { connection, periodMs, node } = host.entry;
    const isOld = host.fresh(nowMs, dashboard.cutOff) === 'stale';
    const outage = dashboard.storeOutage;
    const isStoreAway = outage?.nodes === undefined || outage.nodes.includes(dashboard.nodeName(node));
    const delivery = deliveryOf({
      figures,
      connection: connection === 'connected' && isOld ? 'silent' : connection,
      periodMs,
      storeAwaySinceMs: isStoreAway ? outage?.sinceMs : undefined,
      drainPerSecond: drainPerSecond(recording.timesMs, recording.column(queued)),
    });
    const sampleMs = watch?.newest?.sampleMs ?? Number.NaN;
    return { figures, delivery, said: sayDelivery(delivery, { figures, sampleMs, wallMs: dashboard.wallMs(nowMs) }) };
  }
}
