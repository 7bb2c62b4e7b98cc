import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProcText } from './proc-text.ts';

describe('text of a /proc file', () => {
  it('reads numbers, fractions and the missing ones', () => {
    const text = ProcText.of('  12 0.25\t7. x 9007199254740991\n');
    assert.deepEqual([text.number(), text.number(), text.number()], [12, 0.25, 7]);
    assert.ok(Number.isNaN(text.number()));
    assert.equal(text.word(), 'x');
    assert.equal(text.number(), Number.MAX_SAFE_INTEGER);
    assert.ok(Number.isNaN(text.number()));
  });

  it('never reads past the end of a line', () => {
    const text = ProcText.of('a 1\nb 2\n\nlast');
    assert.equal(text.word(), 'a');
    assert.equal(text.number(), 1);
    assert.ok(Number.isNaN(text.number()));
    assert.equal(text.word(), '');
    text.nextLine();
    assert.equal(text.wordUntil(58), '');
    assert.equal(text.word(), 'b');
    text.nextLine();
    assert.equal(text.word(), '');
    text.nextLine();
    assert.equal(text.word(), 'last');
    text.nextLine();
    assert.ok(text.done);
    text.nextLine();
    assert.ok(text.done);
  });

  it('ignores what an earlier, longer reading left in the buffer', () => {
    const text = ProcText.of('100 200\n300 400\n');
    text.reset(3);
    assert.equal(text.number(), 100);
    assert.ok(Number.isNaN(text.number()));
    text.nextLine();
    assert.ok(text.done);
  });

  it('gives the same string for the same bytes and tells different ones apart', () => {
    const text = ProcText.of('eth0 eth1 eth0 größe eth0');
    const words = [text.word(), text.word(), text.word(), text.word(), text.word()];
    assert.deepEqual(words, ['eth0', 'eth1', 'eth0', 'größe', 'eth0']);
  });

  it('tells words apart whose hashes are equal', () => {
    // "Aa" and "BB" are the classic pair for a hash by 31.
    const text = ProcText.of('Aa BB Aa BB');
    assert.deepEqual([text.word(), text.word(), text.word(), text.word()], ['Aa', 'BB', 'Aa', 'BB']);
  });
});
