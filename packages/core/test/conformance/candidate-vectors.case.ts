/** The cases of every index that holds its candidates, for lookups of their vectors by identifier. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type SavableIndex, saveIndex } from '../../src/bundle/registry.ts';
import { type Part, readSaved } from '../../src/format/part.ts';
import { containerSections } from '../../src/format/saved.ts';
import { bytesSource } from '../../src/format/source.ts';
import { defaultRuntime } from '../../src/parallel/runtime.ts';
import { loadBruteForce } from '../../src/topk/brute-force/saved-brute-force.ts';
import type { CandidateVectors } from '../../src/topk/candidate-vectors.ts';
import { type Identifier, isRebalancing, type UpdatableTopK } from '../../src/topk/contract.ts';
import { loadScann } from '../../src/topk/scann/saved-scann.ts';
import { containerOf } from '../format/containers.ts';
import { normalRows } from './oracle.ts';

const D = 6;
const rows = normalRows(120, D, 21);
const more = normalRows(60, D, 22).map((row) => row.map((x) => x / 4));

/** An index under test, and what it keeps of a vector. */
export interface CandidateVectorsCase {
  name: string;
  make: <I extends Identifier>() => UpdatableTopK<ArrayLike<number>, I>;
  precision: CandidateVectors['precision'];
  isUnitLength?: boolean;
}

type Index<I extends Identifier = string> = UpdatableTopK<ArrayLike<number>, I>;

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `item ${i}`);

/** The largest difference that rounding may leave: of bfloat16 2⁻⁸ of a number, of int8 half a step of at most 5 / 127. */
const TOLERANCES = { float32: () => 0, bfloat16: (x: number) => Math.abs(x) / 256, int8: () => 5 / 127 / 2 };

async function loaded<I extends Identifier>(index: Index<I>): Promise<Index<I>> {
  const bytes = containerOf(containerSections(saveIndex(index as unknown as SavableIndex<ArrayLike<number>, I>)));
  const load = (part: Part): Index<I> =>
    part.kind === 'scann' ? loadScann<ArrayLike<number>, I>(part) : loadBruteForce<ArrayLike<number>, I>(part);
  return readSaved(bytesSource(bytes), load, defaultRuntime());
}

/** Declare the cases for one index. */
export function runCandidateVectorsCases({ name, make, precision, isUnitLength = false }: CandidateVectorsCase): void {
  const kept = (vector: ArrayLike<number>): number[] => {
    const numbers = Array.from(vector);
    const length = isUnitLength ? Math.hypot(...numbers) : 1;
    return numbers.map((x) => x / length);
  };
  const check = <I extends Identifier>(index: Index<I>, held: ReadonlyMap<I, ArrayLike<number>>): void => {
    const found = index.candidateVectors([...held.keys()]);
    assert.equal(found.precision, precision);
    assert.equal(found.isUnitLength, isUnitLength);
    assert.equal(found.data.length, held.size * D);
    [...held.values()].flatMap(kept).forEach((x, i) => {
      // Scaling to length 1 rounds in float32.
      const tolerance = TOLERANCES[precision](x) + (isUnitLength ? 1e-6 : 0);
      assert.ok(Math.abs(found.data[i]! - x) <= tolerance, `number ${i}: expected ${x}, got ${found.data[i]}`);
    });
  };
  const filled = (): Index => make<string>().index(rows, names(rows.length));

  describe(`${name}: vectors of candidates by identifier`, () => {
    test('of what was indexed, in the order asked for, also twice; a copy', () => {
      const index = filled();
      check(index, new Map(names(rows.length).map((id, i) => [id, rows[i]!])));
      const { data } = index.candidateVectors(['item 9', 'item 2', 'item 9']);
      assert.deepEqual(data.subarray(0, D), data.subarray(2 * D));
      const before = data.slice();
      data.fill(0);
      assert.deepEqual(index.candidateVectors(['item 9', 'item 2', 'item 9']).data, before);
      assert.equal(index.candidateVectors([]).data.length, 0);
    });

    test('what is not a candidate is refused by name, and has is false', () => {
      const index = filled();
      assert.throws(() => index.candidateVectors(['item 0', 'nobody']), {
        code: 'ERR_IDENTIFIER',
        message: 'identifiers: expected identifiers of candidates, got "nobody"',
      });
      assert.throws(() => index.candidateVectors(['toString']), { code: 'ERR_IDENTIFIER' });
      assert.throws(() => index.candidateVectors([7 as unknown as string]), { code: 'ERR_IDENTIFIER' });
      assert.deepEqual(
        ['item 0', 'nobody', '__proto__'].map((id) => index.hasCandidate(id)),
        [true, false, false],
      );
      assert.throws(() => make<string>().candidateVectors(['item 0']), { code: 'ERR_STATE' });
      index.delete(['item 3']);
      assert.equal(index.hasCandidate('item 3'), false);
      assert.throws(() => index.candidateVectors(['item 3']), { code: 'ERR_IDENTIFIER' });
    });

    test('identifiers of every type, row numbers among them; of equal identifiers the first row that is left', () => {
      const pair = rows.slice(0, 3);
      for (const ids of [[7, -1, 2 ** 53], [1n, 2n ** 62n, -5n], ['', 'constructor', 'é'], undefined]) {
        const index = make<Identifier>().index(pair, ids);
        check(index, new Map<Identifier, ArrayLike<number>>(pair.map((row, i) => [ids?.[i] ?? i, row])));
      }
      const twins = make<string>().index(pair, ['a', 'a', 'b']);
      check(twins, new Map([['a', pair[0]!]]));
    });

    test('after upserts, deletes, rebalances and loads, in any order', async () => {
      const step = fc.record({
        verb: fc.constantFrom('upsert', 'delete', 'rebalance', 'load'),
        at: fc.nat(59),
        item: fc.nat(140),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          let index = filled();
          const held = new Map<string, ArrayLike<number>>(names(rows.length).map((id, i) => [id, rows[i]!]));
          for (const { verb, at, item } of steps) {
            const id = `item ${item}`;
            if (verb === 'upsert') {
              index.upsert([id], [more[at]!]);
              held.set(id, more[at]!);
            } else if (verb === 'delete') {
              assert.equal(index.delete([id]), held.delete(id) ? 1 : 0);
            } else if (verb === 'load') {
              const next = await loaded(index);
              index.free();
              index = next;
            } else if (isRebalancing(index) && precision !== 'int8') await index.rebalance();
          }
          check(index, held);
          for (let item = 0; item <= 140; item++) {
            assert.equal(index.hasCandidate(`item ${item}`), held.has(`item ${item}`));
          }
          index.free();
        }),
        { numRuns: 25, seed: 5 },
      );
    });
  });
}
