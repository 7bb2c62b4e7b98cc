/** A reporter of node:test for the runner: one JSON line per test that passed, failed or was skipped. Suites are not tests. */
import type { TestEvent } from 'node:test/reporters';

export type Verdict = {
  readonly name: string;
  readonly result: 'passed' | 'failed' | 'skipped';
  readonly why?: string;
};

const reasonOf = (event: { skip?: string | boolean; todo?: string | boolean }): string | undefined => {
  if (event.skip !== undefined) return event.skip === true ? 'skipped' : String(event.skip);
  if (event.todo !== undefined) return event.todo === true ? 'to do' : `to do: ${String(event.todo)}`;
  return undefined;
};

/** `undefined` for whatever is not the end of a test. A test whose subtests failed is not counted beside them. */
export const verdictOf = (event: TestEvent): Verdict | undefined => {
  if (event.type !== 'test:pass' && event.type !== 'test:fail') return undefined;
  const { data } = event;
  if (data.details.type === 'suite') return undefined;
  const why = reasonOf(data);
  if (why !== undefined) return { name: data.name, result: 'skipped', why };
  if (event.type === 'test:pass') return { name: data.name, result: 'passed' };
  const { failureType } = event.data.details.error as { failureType?: string };
  return failureType === 'subtestsFailed' ? undefined : { name: data.name, result: 'failed' };
};

export default async function* reporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    const verdict = verdictOf(event);
    if (verdict) yield `${JSON.stringify(verdict)}\n`;
  }
}
