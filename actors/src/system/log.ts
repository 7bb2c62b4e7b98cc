/**
 * The log: one JSON line per event on stderr (readable lines on a terminal), through pino. Writing is synchronous, so that the last line
 * before a crash is there. Secrets are never passed in: nothing here could recognize them. Logging never throws, whatever it is given.
 */
import { pino } from 'pino';
import { describeError } from './describe-error.ts';
import { terminalLine } from './terminal-line.ts';

export type Log = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Log;
};

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export type LogSink = { write(line: string): void };

const stderr = (): LogSink =>
  process.stderr.isTTY
    ? { write: (line) => process.stderr.write(terminalLine(line)) }
    : pino.destination({ fd: 2, sync: true });

const wrap = (inner: pino.Logger): Log => {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: object, message: string): void => {
      try {
        inner[level](fields, message);
      } catch (error) {
        inner.error({ error: describeError(error) }, `${message} (its fields could not be written)`);
      }
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(inner.child(fields)),
  };
};

/** An `error` field is written with its message, code, stack and causes. `sink` is for tests; by default stderr. */
export const createLog = (options: { name: string; level?: LogLevel; sink?: LogSink }): Log =>
  wrap(
    pino(
      {
        name: options.name,
        level: options.level ?? 'info',
        base: { name: options.name },
        formatters: { level: (label) => ({ level: label }) },
        serializers: { error: describeError },
      },
      options.sink ?? stderr(),
    ),
  );

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
