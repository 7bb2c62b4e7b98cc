/**
 * One actor per tab: it owns what the tab looks at and its questions under way. Everything a browser sends arrives here as it came and
 * is parsed here, once; whoever breaks the rules is told why and closed. A tab whose actor fails is closed too, and comes back fresh:
 * nothing of it is worth saving.
 */
import type { ActorSpec } from '@thrum/actors/system/actor-ref';
import type { Clock } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import { watchSchema, type PastOutcome, type PastQuestion } from '@thrum/actors/wire/browser-to-web';
import { eventQuestionSchema } from '@thrum/actors/wire/event-question';
import { questionSchema } from '@thrum/actors/wire/question';
import { refuse, type Refusal, type RefusalCode } from '@thrum/actors/wire/refusal';
import type { Counters } from './counters.ts';
import type { HistoryAsk } from './history-ask.ts';
import type { Hold, HostWatches } from './host-watches.ts';
import { fullBucket, takeOne, type Bucket } from './message-rate.ts';
import type { TabOutlet } from './tab-outlet.ts';

export const tabLimits = {
  /** Events and answers waiting for the actor; an honest tab has a handful. */
  maxMailbox: 64,
  /** Questions waiting behind the one under way. */
  maxWaiting: 8,
} as const;

export type TabMessage =
  | { kind: 'event'; name: unknown; args: readonly unknown[] }
  | { kind: 'answered'; outcome: PastOutcome; reply: Reply }
  | { kind: 'next' };

type Reply = (answer: unknown) => void;
type Asked = { question: PastQuestion; reply: Reply };

type Tab = {
  bucket: Bucket;
  host: string | undefined;
  hold: Hold | undefined;
  asking: boolean;
  waiting: Asked[];
};

export type TabParts = {
  id: string;
  outlet: TabOutlet;
  watches: HostWatches;
  history: HistoryAsk;
  counters: Counters;
  clock: Clock;
  log: Log;
};

const isReply = (value: unknown): value is Reply => typeof value === 'function';

export const tabActor = (parts: TabParts): ActorSpec<TabMessage, Tab> => {
  const { outlet, counters, log, clock } = parts;

  /** Hostile or broken: told why, closed, counted, and logged now and then. */
  const turnOut = (tab: Tab, refusal: Refusal): Tab => {
    counters.add('web_tabs_refused');
    if (counters.worthLogging(`refused ${refusal.code}`, clock.monotonicMs()))
      log.warn({ tab: parts.id, code: refusal.code, detail: refusal.detail }, 'a tab broke the rules and is closed');
    outlet.close(refusal);
    return tab;
  };

  const malformed = (tab: Tab, detail: string): Tab => turnOut(tab, refuse('malformed', detail));

  const watch = (tab: Tab, args: readonly unknown[]): Tab => {
    const [message, reply] = args;
    if (args.length !== 2 || !isReply(reply)) return malformed(tab, 'watch takes one object and a reply');
    const parsed = watchSchema.safeParse(message);
    if (!parsed.success) return malformed(tab, `watch: ${parsed.error.issues[0]?.message ?? 'not understood'}`);
    const host = parsed.data.host ?? undefined;
    tab.hold?.leave();
    tab.hold = undefined;
    tab.host = host;
    let hold: Hold | undefined;
    const viewer = outlet.watch(host, () => hold?.again());
    // The answer goes first: the snapshot belongs to a watch that the page knows was taken.
    if (host === undefined || !viewer) {
      reply({ ok: true });
      return tab;
    }
    reply({ ok: true });
    const joined = parts.watches.join(host, viewer);
    if (joined.ok) tab.hold = hold = joined.hold;
    else viewer.refused(joined);
    return tab;
  };

  const askNext = (tab: Tab, tell: (message: TabMessage) => void): Tab => {
    const next = tab.waiting.shift();
    tab.asking = next !== undefined;
    if (next)
      void parts.history.ask(next.question).then((outcome) => tell({ kind: 'answered', outcome, reply: next.reply }));
    return tab;
  };

  const ask = (tab: Tab, args: readonly unknown[], tell: (message: TabMessage) => void): Tab => {
    const [message, reply] = args;
    if (args.length !== 2 || !isReply(reply)) return malformed(tab, 'ask takes one object and a reply');
    if (typeof message !== 'object' || message === null) return malformed(tab, 'ask takes an object');
    const parsed = 'ask' in message ? eventQuestionSchema.safeParse(message) : questionSchema.safeParse(message);
    const no = (code: RefusalCode, detail: string): Tab => {
      counters.add('web_questions_refused');
      reply(refuse(code, detail));
      return tab;
    };
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return no('bad-question', `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim().slice(0, 200));
    }
    if (tab.waiting.length >= tabLimits.maxWaiting)
      return no('busy', `at most ${tabLimits.maxWaiting} questions may wait`);
    tab.waiting.push({ question: parsed.data, reply });
    return tab.asking ? tab : askNext(tab, tell);
  };

  const event = (tab: Tab, name: unknown, args: readonly unknown[], tell: (message: TabMessage) => void): Tab => {
    const bucket = takeOne(tab.bucket, clock.monotonicMs());
    if (!bucket) return turnOut(tab, refuse('too-fast'));
    tab.bucket = bucket;
    if (name === 'watch') return watch(tab, args);
    if (name === 'ask') return ask(tab, args, tell);
    return malformed(tab, `no such message: ${JSON.stringify(String(name).slice(0, 40))}`);
  };

  return {
    name: `tab-${parts.id}`,
    mailbox: { max: tabLimits.maxMailbox, whenFull: 'refuse' },
    restart: { times: 0, withinMs: 60_000 },
    start: () => ({
      bucket: fullBucket(clock.monotonicMs()),
      host: undefined,
      hold: undefined,
      asking: false,
      waiting: [],
    }),
    receive: (tab, message, self) => {
      const tell = (one: TabMessage): void => {
        // A tab so far behind that its own answers find no room.
        if (!self.tell(one).ok) outlet.close(refuse('too-fast'));
      };
      if (outlet.isClosed()) return tab;
      switch (message.kind) {
        case 'event':
          return event(tab, message.name, message.args, tell);
        case 'answered':
          // An answer may be large: it is written when the one before has left, and only then comes the next question.
          outlet.whenRoom(() => {
            message.reply(message.outcome);
            tell({ kind: 'next' });
          });
          return tab;
        case 'next':
          return askNext(tab, tell);
      }
    },
    stop: (tab, reason) => {
      outlet.watch(undefined);
      tab.hold?.leave();
      if (reason.kind === 'failed') outlet.close(refuse('try-later', 'this tab failed on the web node'));
    },
  };
};
