import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startNodes, type TestNode } from '@thrum/actors/testing/nodes';
import { documentsEndpoint, type DocumentsQuestion } from '@thrum/actors/wire/documents';
import { refuse } from '@thrum/actors/wire/refusal';
import { createDocuments } from './documents.ts';

type Answer = (question: DocumentsQuestion, node: TestNode) => unknown;

/** A web node and ingest nodes on real links, which answer as the test says. */
const startMesh = async (t: TestContext, answers: readonly Answer[]) => {
  const mesh = await startNodes(answers.length + 1, { role: (index) => (index === 0 ? 'web' : 'ingest') });
  t.after(() => mesh.close());
  const [web, ...ingest] = mesh.nodes;
  assert.ok(web);
  const asked: DocumentsQuestion[] = [];
  for (const [at, node] of ingest.entries())
    node.links.serve(documentsEndpoint, (question) => {
      asked.push(question as DocumentsQuestion);
      return answers[at]?.(question as DocumentsQuestion, node);
    });
  return { mesh, asked, documents: createDocuments({ links: web.links, clock: web.system.clock }) };
};

/** One store that several ingest nodes answer from. */
const memoryStore = () => {
  const documents = new Map<string, { version: string; value: unknown }>();
  let versions = 0;
  const conflict = { ok: false, reason: 'conflict' };
  const answer = (question: DocumentsQuestion): unknown => {
    const document = 'key' in question ? documents.get(question.key) : undefined;
    switch (question.kind) {
      case 'get':
        return { ok: true, document };
      case 'list':
        return { ok: true, documents: [...documents].map(([key, one]) => ({ key, ...one })) };
      case 'put': {
        if ((document?.version ?? null) !== question.ifVersion) return conflict;
        const version = String((versions += 1));
        documents.set(question.key, { version, value: question.value });
        return { ok: true, version };
      }
      case 'delete':
        if (document?.version !== question.ifVersion) return conflict;
        documents.delete(question.key);
        return { ok: true };
    }
  };
  return { documents, answer };
};

/** Whoever is asked first does it, and goes away before it can say so; the others answer. */
const firstDies = (does: (question: DocumentsQuestion) => unknown, answer: Answer): Answer => {
  let dead = 0;
  return async (question, node) => {
    if ((dead += 1) > 1) return answer(question, node);
    const outcome = does(question);
    await node.links.close();
    return outcome;
  };
};

const twice = (answer: Answer): readonly Answer[] => [answer, answer];

test('what is put is read, listed, changed by its version and deleted', async (t) => {
  const { answer } = memoryStore();
  const { documents } = await startMesh(t, [answer, answer]);
  assert.deepEqual(await documents.get('users', 'ada'), { ok: true, document: undefined });
  const put = await documents.put('users', 'ada', { n: 1 }, null);
  assert.deepEqual(put, { ok: true, version: '1' });
  assert.deepEqual(await documents.put('users', 'ada', { n: 2 }, null), { ok: false, reason: 'conflict' });
  assert.deepEqual(await documents.put('users', 'ada', { n: 2 }, '1'), { ok: true, version: '2' });
  assert.deepEqual(await documents.get('users', 'ada'), { ok: true, document: { version: '2', value: { n: 2 } } });
  assert.deepEqual(await documents.list('users'), {
    ok: true,
    documents: [{ key: 'ada', version: '2', value: { n: 2 } }],
  });
  assert.deepEqual(await documents.delete('users', 'ada', '1'), { ok: false, reason: 'conflict' });
  assert.deepEqual(await documents.delete('users', 'ada', '2'), { ok: true });
});

test('without a linked ingest node it is refused', async (t) => {
  const { documents } = await startMesh(t, []);
  const outcome = await documents.list('users');
  assert.equal(!outcome.ok && outcome.code, 'no-ingest');
});

test('a node without an answer, and one whose store is away, is followed by the next', async (t) => {
  const { answer } = memoryStore();
  const throws: Answer = () => {
    throw new Error('scripted');
  };
  const { documents, asked } = await startMesh(t, [throws, () => refuse('store-away', 'x'), answer]);
  for (let i = 0; i < 3; i += 1) assert.equal((await documents.list('users')).ok, true);
  assert.ok(asked.length > 3, 'not all of them asked the one with an answer first');
});

test('the store away everywhere is said with its reason, and what is wrong with the question by the first', async (t) => {
  const { documents } = await startMesh(t, [() => refuse('store-away', 'x'), () => refuse('store-away', 'x')]);
  assert.deepEqual(await documents.get('users', 'ada'), refuse('store-away', 'x'));
  const other = await startMesh(t, [() => refuse('bad-question', 'y'), () => refuse('bad-question', 'y')]);
  assert.deepEqual(await other.documents.get('users', 'ada'), refuse('bad-question', 'y'));
  assert.equal(other.asked.length, 1);
});

test('an answer of no known form is a refusal', async (t) => {
  for (const value of [
    null,
    7,
    {},
    { ok: true, documents: 3 },
    { ok: false, code: 'made-up' },
    { ok: false, code: 'toString' },
  ]) {
    const { documents } = await startMesh(t, [() => value]);
    const outcome = await documents.list('users');
    assert.equal(!outcome.ok && outcome.code, 'store-away');
  }
});

test('a change whose answer was lost with its node counts as done when the store says so', async (t) => {
  const { answer, documents: stored } = memoryStore();
  const { documents } = await startMesh(t, twice(firstDies(answer, answer)));
  assert.deepEqual(await documents.put('users', 'ada', { n: 1, left: undefined }, null), { ok: true, version: '1' });
  assert.equal(stored.size, 1);
});

test('a deletion whose answer was lost with its node counts as done', async (t) => {
  const { answer, documents: stored } = memoryStore();
  stored.set('ada', { version: '7', value: {} });
  const { documents } = await startMesh(t, twice(firstDies(answer, answer)));
  assert.deepEqual(await documents.delete('users', 'ada', '7'), { ok: true });
});

test("a change that met somebody else's is a conflict, also after a lost answer", async (t) => {
  const { answer, documents: stored } = memoryStore();
  const overtaken = (): void => void stored.set('ada', { version: '9', value: { by: 'another' } });
  const { documents } = await startMesh(t, twice(firstDies(overtaken, answer)));
  assert.deepEqual(await documents.put('users', 'ada', { n: 1 }, null), { ok: false, reason: 'conflict' });
});
