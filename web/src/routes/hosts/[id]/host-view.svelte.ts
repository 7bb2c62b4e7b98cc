/**
 * What a host page looks at: its window, whether it moves, and where the numbers of each chart come from: the recording of the last
 * minutes, or answers about the past. One object per page; charts ask it and never know which of the two they draw.
 */
/* eslint-disable svelte/prefer-svelte-reactivity -- these collections are deliberately no signals: versions say when to look */
import { dependsOn } from '#lib/reactivity/depends-on.ts';
import { instanceName, type ChartPlan, type TargetPlan } from '#lib/charts/chart-plan.ts';
import { fillData, sourceOfAnswer, type ChartData, type Source } from '#lib/charts/series-data.ts';
import type { KnownHole } from '#lib/charts/known-holes.ts';
import { defaultRange, liveWindowMs, rangeMs, type Choice } from '#lib/charts/window.ts';
import { dashboard } from '#lib/live/dashboard.svelte.ts';
import { Questions } from '#lib/live/questions.ts';
import { seriesKey, type Recording } from '#lib/live/recording.ts';
import type { Watch } from '#lib/live/watch.svelte.ts';
import type { Answer, Question } from '@thrum/actors/wire/question';
import type { Refusal } from '@thrum/actors/wire/refusal';

export type Window = { readonly fromMs: number; readonly toMs: number };

/** A chart is at most about this many points wide; more would be drawn on top of each other. */
const pastPoints = 480;
/** A past window that ends now is asked for again this often at most. */
const refreshMs = 10_000;
/** Up to here all instances of a target are asked for and drawn beside one another. */
const besideOneAnother = 3;

/** True when each instance of a target gets its own chart; otherwise the reader picks one. */
export const isSpread = (plan: TargetPlan): boolean =>
  plan.target !== 'cpu' && plan.instances.length * plan.charts.length <= besideOneAnother;

export class HostView {
  readonly hostId: string;
  choice = $state.raw<Choice>({ kind: 'live', range: '5m' });
  /** Right edge of a live window that was stopped, by the host's clock. */
  stoppedMs = $state<number | undefined>(undefined);
  /** Time under the crosshair. */
  cursorMs = $state<number | undefined>(undefined);
  /** Rises with every answer and every new past window. */
  answersVersion = $state(0);
  asked = $state.raw<Window | undefined>(undefined);
  /** A chart has been drawn. */
  isDrawn = $state(false);
  /** Stretches without samples of which it is known why. */
  holes = $state.raw<readonly KnownHole[]>([]);
  readonly #answers = new Map<string, Answer | Refusal>();
  readonly #wanted = new Map<string, Pick<Question, 'target' | 'metrics' | 'points' | 'fields'>>();
  readonly #picked = $state<Record<string, string>>({});
  readonly #questions = new Questions(
    (question) => dashboard.ask(question),
    (key, outcome) => {
      this.#answers.set(key, outcome);
      this.answersVersion += 1;
    },
  );

  constructor(hostId: string) {
    this.hostId = hostId;
  }

  get watch(): Watch | undefined {
    return dashboard.watched?.hostId === this.hostId ? dashboard.watched : undefined;
  }

  get recording(): Recording | undefined {
    return this.watch?.recording;
  }

  /** Now by the clock that dates the host's samples. */
  nowMs(monotonicMs = performance.now()): number {
    return (
      this.watch?.anchor.at(monotonicMs) ??
      dashboard.fleet.host(this.hostId)?.anchor.at(monotonicMs) ??
      dashboard.wallMs(monotonicMs)
    );
  }

  look(choice: Choice): void {
    this.choice = choice;
    this.stoppedMs = undefined;
    this.#answers.clear();
    this.#questions.clear();
    this.asked = choice.kind === 'fixed' ? { fromMs: choice.fromMs, toMs: choice.toMs } : undefined;
    if (choice.kind === 'past') this.refresh();
    else if (!this.isRecorded) this.#askAll();
  }

  /** True when what is looked at is drawn from the recording. */
  get isRecorded(): boolean {
    const { choice } = this;
    if (choice.kind !== 'fixed') return choice.kind === 'live';
    const firstMs = this.recording?.firstMs;
    return firstMs !== undefined && choice.fromMs >= firstMs;
  }

  /** True while the picture stands: figures of now do not belong beside it. */
  get isStopped(): boolean {
    return this.stoppedMs !== undefined || this.choice.kind === 'fixed';
  }

  stop(): void {
    if (this.choice.kind !== 'fixed') this.stoppedMs = this.nowMs();
  }

  go(): void {
    this.stoppedMs = undefined;
    if (this.choice.kind === 'past') this.refresh();
  }

  window(): Window {
    const { choice } = this;
    if (choice.kind === 'fixed') return choice;
    if (choice.kind === 'past') return this.asked ?? this.#pastWindow();
    const toMs = this.stoppedMs ?? this.nowMs();
    const lengthMs = liveWindowMs(choice.range, toMs - (this.recording?.firstMs ?? toMs));
    return { fromMs: toMs - lengthMs, toMs };
  }

  /** What stands behind the figures of now: the window while it is recorded, the last minutes otherwise. */
  headWindow(): Window {
    if (this.isRecorded) return this.window();
    const toMs = this.nowMs();
    return { fromMs: toMs - rangeMs[defaultRange], toMs };
  }

  /** A past range that ends now is asked for again from time to time. */
  tick(): void {
    if (this.choice.kind !== 'past' || this.stoppedMs !== undefined || !this.#questions.isEmpty) return;
    const everyMs = Math.max(refreshMs, rangeMs[this.choice.range] / pastPoints);
    if (this.nowMs() - (this.asked?.toMs ?? 0) >= everyMs) this.refresh();
  }

  refresh(): void {
    this.asked = this.#pastWindow();
    this.#askAll();
  }

  /** A chart is shown: what it needs of the past is asked, now and at every new window. Returns what ends that. */
  want(plan: TargetPlan, fields: readonly string[] | undefined): () => void {
    const metrics = [...new Set(plan.charts.flatMap(({ lines }) => lines.map((line) => line.metric)))];
    return this.#want(plan.target, fields, { target: plan.target, metrics, points: pastPoints });
  }

  /** Usage of every core, coarsely, for the small multiples. */
  wantCores(): () => void {
    return this.#want('cores', undefined, { target: 'cpu', metrics: ['usage'], points: 120 });
  }

  /** Field values of the instance of a target that the reader looks at. */
  instance(plan: TargetPlan): readonly string[] {
    const picked = plan.instances.find((fields) => seriesKey(plan.target, fields) === this.#picked[plan.target]);
    return picked ?? this.#busiest(plan) ?? [];
  }

  pick(plan: TargetPlan, fields: readonly string[]): void {
    this.#picked[plan.target] = seriesKey(plan.target, fields);
  }

  fill(data: ChartData, plan: ChartPlan, fields: readonly string[], key: string, window: Window): void {
    fillData(data, this.#source(plan, fields, key), window, plan);
  }

  /** Why a chart of the past is empty, if it is known. */
  refusal(key: string): Refusal | undefined {
    dependsOn(this.answersVersion);
    const answer = this.isRecorded ? undefined : this.#answers.get(key);
    return answer?.ok === false ? answer : undefined;
  }

  /** The answer under a key, when the past is looked at. */
  answer(key: string): Answer | undefined {
    const answer = this.#answers.get(key);
    return answer?.ok === true ? answer : undefined;
  }

  #source(plan: ChartPlan, fields: readonly string[], key: string): Source {
    if (!this.isRecorded) {
      const answer = this.answer(key);
      const name = seriesKey('', fields);
      const series = answer?.series.find((one) => seriesKey('', one.fields) === name);
      if (answer) return sourceOfAnswer(answer, series, plan.lines);
      return { timesMs: [], columns: [], periodMs: 1000 };
    }
    const { recording } = this;
    return {
      timesMs: recording?.timesMs ?? [],
      columns: plan.lines.map((line) => {
        const slot = recording?.slot(plan.target, fields, line.metric);
        return slot === undefined ? undefined : recording?.column(slot);
      }),
      periodMs: dashboard.fleet.host(this.hostId)?.entry.periodMs ?? 1000,
    };
  }

  /** The instance with the most going on in its first chart; for the processor all cores together. */
  #busiest(plan: TargetPlan): readonly string[] | undefined {
    const total = plan.instances.find((fields) => instanceName(fields) === 'total');
    const lines = plan.charts[0]?.lines ?? [];
    const { recording } = this;
    if (total || !recording) return total ?? plan.instances[0];
    let most = -1;
    let busiest = plan.instances[0];
    for (const fields of plan.instances) {
      if (plan.target === 'network' && instanceName(fields) === 'lo') continue;
      const sum = lines.reduce((all, { metric }) => {
        const slot = recording.slot(plan.target, fields, metric);
        return all + (slot === undefined ? 0 : recording.column(slot).reduce((a, b) => a + (b || 0), 0));
      }, 0);
      if (sum <= most) continue;
      most = sum;
      busiest = fields;
    }
    return busiest;
  }

  #want(
    name: string,
    fields: readonly string[] | undefined,
    question: Pick<Question, 'target' | 'metrics' | 'points'>,
  ): () => void {
    const key = seriesKey(name, fields ?? []);
    this.#wanted.set(key, fields === undefined ? question : { ...question, fields: [...fields] });
    if (!this.isRecorded && !this.#answers.has(key)) this.#askFor(key);
    return () => this.#wanted.delete(key);
  }

  #askAll(): void {
    for (const key of this.#wanted.keys()) this.#askFor(key);
    this.answersVersion += 1;
  }

  #askFor(key: string): void {
    const wanted = this.#wanted.get(key);
    const { fromMs, toMs } = this.window();
    if (wanted === undefined) return;
    this.#questions.add(key, {
      ...wanted,
      host: this.hostId,
      fromMs: Math.floor(fromMs),
      toMs: Math.ceil(toMs),
      aggregate: 'avg',
    });
  }

  #pastWindow(): Window {
    const toMs = Math.ceil(this.stoppedMs ?? this.nowMs());
    return { fromMs: toMs - (this.choice.kind === 'past' ? rangeMs[this.choice.range] : 0), toMs };
  }
}
