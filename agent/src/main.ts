/**
 * The agent's program. `--identify` makes it the short-lived process that finds out what the machine is (`hardware.ts`), `queue inspect` one
 * that shows what is in the queue (`queue/inspect-command.ts`).
 */
import { createLog } from '@thrum/actors/system/log';
import { systemClock } from '@thrum/actors/system/clock';
import { helpText, settingsOrExit } from '@thrum/actors/system/settings';
import { startAgent } from './agent.ts';
import { agentSettings } from './config.ts';
import { StartError } from './identity.ts';

/** Stopping takes two seconds, three with a slow disk; whatever hangs then is left behind. */
const stopMs = 5000;

const identify = async (known: string): Promise<void> => {
  const { readHardware } = await import('./collectors/system-information.ts');
  const { os, cpu } = JSON.parse(known) as { os: string; cpu: string };
  process.stdout.write(`${JSON.stringify(await readHardware({ os, cpu }))}\n`);
};

const help = `
Also: thrum-agent queue inspect    what lies in the queue on disk (thrum-agent queue --help)
`;

const run = async (): Promise<void> => {
  if (process.argv.slice(2).some((word) => word === '--help' || word === '-h'))
    return void process.stdout.write(`${helpText(agentSettings, 'thrum-agent')}${help}`);
  const settings = settingsOrExit(agentSettings, 'thrum-agent');
  const log = createLog({ name: 'agent', level: settings.logLevel });
  const program = process.argv[1] ?? '';
  const agent = await startAgent({ settings, program, clock: systemClock, log, random: Math.random });
  const { host, epoch } = agent.identity;
  console.log(JSON.stringify({ ready: 'agent', port: agent.metricsPort, host, epoch }));
  let isStopping = false;
  const stop = (signal: string): void => {
    if (isStopping) return;
    isStopping = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => process.exit(0), stopMs).unref();
    agent.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal));
};

const fail = (error: unknown): void => {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`thrum-agent: ${error.message}\n`);
  process.exit(2);
};

const showQueue = async (words: readonly string[]): Promise<void> => {
  const { runQueueCommand } = await import('./queue/inspect-command.ts');
  process.exitCode = await runQueueCommand(words, (line) => console.log(line));
};

const [word, ...words] = process.argv.slice(2);
if (word === 'queue') showQueue(words).catch(fail);
else if (word === '--identify') identify(words[0] ?? '{}').catch(fail);
else run().catch(fail);
