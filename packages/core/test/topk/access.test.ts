/** Methods of one index that are called without waiting for earlier ones: every pair, and random interleavings. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ShortlistError } from '../../src/errors/errors.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { IndexAccess } from '../../src/topk/access.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { Streaming } from '../../src/topk/streaming/streaming.ts';
import { normalRows } from '../conformance/oracle.ts';
import { isThorough } from '../thorough.ts';
import {
  checkHeld,
  first,
  type Held,
  hitsOf,
  INDEXES,
  type Index,
  queries,
  rows,
  type Verb,
  verbsOf,
} from './changes.ts';

/** Runs verbs on an index and on a plain list, one started after the other. */
class Started {
  readonly index: Index;
  refused = 0;
  /** The content after each accepted change; the changes up to `#sure` have been made. */
  readonly #history: Held[] = [first()];
  #sure = 0;
  readonly #ends: Promise<void>[] = [];
  #tag = 0;

  constructor(index: Index) {
    this.index = index.index([...this.held!.values()], [...this.held!.keys()]);
  }

  /** The content when every change has been made. */
  get held(): Held {
    return this.#history.at(-1);
  }

  /** Start a verb. One that is refused, or needs candidates where there are none, must have changed nothing. */
  start(verb: Verb): void {
    const tag = ++this.#tag;
    const { length } = this.#history;
    const checkError = (error: unknown): void => {
      const { code, message } = error as ShortlistError;
      assert.ok(error instanceof ShortlistError && code === 'ERR_STATE', String((error as Error).stack));
      if (!verb.isAsync && /under way/.test(message)) {
        assert.match(message, new RegExp(`^${verb.name}: expected no \\w+ under way.*; ${verb.name}Async waits`));
        this.refused++;
        return;
      }
      // There were no candidates at some time since, or others came while they were built anew.
      const hadNone =
        this.#history.slice(this.#sure).includes(undefined) || this.#history.slice(length - 1).includes(undefined);
      assert.ok(hadNone || verb.name === 'rebalance', message);
    };
    // Changes that wait may have been made or not when a read looks.
    const possible = this.#history.slice(this.#sure);
    let answer: unknown;
    try {
      answer = verb.run(this.index, tag);
    } catch (error) {
      checkError(error);
      return;
    }
    if (verb.change) this.#history.push(verb.change(this.held, tag));
    const made = this.#history.length - 1;
    if (!verb.isAsync && verb.change) this.#sure = made;
    const end = async (): Promise<void> => {
      let value: unknown;
      try {
        value = await answer;
      } catch (error) {
        checkError(error);
        return;
      }
      if (verb.change) this.#sure = Math.max(this.#sure, made);
      if (verb.check) await checkOneOf(verb.check, value, possible);
    };
    const ended = end();
    ended.catch(() => undefined);
    this.#ends.push(ended);
  }

  async ended(): Promise<void> {
    await Promise.all(this.#ends);
    checkHeld(this.index, this.held);
  }
}

/** An answer must be that of one of the states it may have seen. */
async function checkOneOf(check: NonNullable<Verb['check']>, answer: unknown, states: readonly Held[]): Promise<void> {
  let error: unknown;
  for (const held of states) {
    if (!held) continue;
    try {
      await check(answer, held);
      return;
    } catch (problem) {
      error = problem;
    }
  }
  throw error;
}

/** Pairs of which the second is refused, because it cannot wait; every other pair does both. */
const READS = ['callAsync'];
const REPLACES = ['indexFromDataset', 'indexAsync'];
const CHANGES = ['upsert', 'delete', 'reserve', 'index', 'free'];

for (const [name, make] of Object.entries(INDEXES)) {
  describe(name, () => {
    test('every ordered pair of verbs, started one after the other', async () => {
      const verbs = verbsOf(make());
      for (const one of verbs) {
        for (const two of verbs) {
          const started = new Started(make());
          started.start(one);
          started.start(two);
          const pair = `${one.name}, ${two.name}`;
          await assert.doesNotReject(started.ended(), pair);
          // An exact index has its new candidates at once where they are given.
          const isOver = name.startsWith('BruteForce') && one.name === 'indexAsync';
          const mayRefuse = [...READS, ...REPLACES].includes(one.name) && CHANGES.includes(two.name) && !isOver;
          assert.equal(started.refused, mayRefuse ? 1 : 0, `${pair}: ${started.refused} refused`);
          started.index.free();
        }
      }
    });

    test('random verbs, with turns of the event loop between', async () => {
      const verbs = verbsOf(make());
      const step = fc.record({ verb: fc.nat(verbs.length - 1), turns: fc.nat(3) });
      const seed = Number(process.env.SHORTLIST_SEED ?? 20_261_128);
      const property = fc.asyncProperty(fc.scheduler(), fc.array(step, { maxLength: 12 }), async (scheduler, steps) => {
        const started = new Started(make());
        const begin = steps.map(({ verb, turns }) => ({
          label: verbs[verb]!.name,
          builder: async (): Promise<void> => {
            started.start(verbs[verb]!);
            for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
          },
        }));
        const sequence = scheduler.scheduleSequence(begin);
        // Searches of somebody else, begun in any order with the steps.
        for (let i = 0; i < 3; i++) {
          void scheduler.schedule(Promise.resolve(), `search ${i}`).then(() => {
            if (started.held) started.start(verbs.find((verb) => verb.name === 'callAsync')!);
          });
        }
        await scheduler.waitFor(sequence.task);
        await scheduler.waitAll();
        await started.ended();
        started.index.free();
      });
      console.log(`seed ${seed}`);
      await fc.assert(property, { numRuns: Number(process.env.SHORTLIST_RUNS ?? (isThorough ? 40 : 12)), seed });
    });
  });
}

test('an upsert made while an index is built anew outlives whatever is asked for meanwhile', async () => {
  const index = new ScaNN<ArrayLike<number>, string>({
    runtime: new Runtime({ threads: 1 }),
    tree: 'always',
    numLeaves: 12,
    numLeavesToSearch: 12,
  }).index([...first().values()], [...first().keys()]);
  const rebalancing = index.rebalance();
  index.upsert(['new'], [Float32Array.from(queries[0]!, (x) => 100 * x)]);
  const growing = index.reserveAsync(1000);
  await Promise.all([rebalancing, growing]);
  assert.equal(index.call(queries[0]!, 1).identifiers()[0], 'new');
  assert.equal(index.size, first().size + 1);
});

test('a rebalance that is given up leaves the old index, with the updates made meanwhile', async () => {
  const make = INDEXES['ScaNN with leaves']!;
  const index = make().index([...first().values()], [...first().keys()]) as ScaNN<ArrayLike<number>, string>;
  const controller = new AbortController();
  const rebalancing = index.rebalance({ signal: controller.signal });
  index.upsert(['new'], [queries[0]!]);
  index.delete(['a1']);
  controller.abort();
  await assert.rejects(rebalancing, { code: 'ERR_ABORTED' });
  const held = first().set('new', queries[0]!);
  held.delete('a1');
  checkHeld(index, held);
  await index.rebalance();
  checkHeld(index, held);
});

test('what was handed to an asynchronous verb may change at once', async () => {
  for (const make of Object.values(INDEXES)) {
    const index = make().index([...first().values()], [...first().keys()]);
    const query = queries[0]!.slice();
    const vector = Float32Array.from(queries[1]!, (x) => 50 * x);
    const ids = ['new'];
    const wanted = first().set('new', vector.slice());
    const [searching, upserting] = [index.callAsync([query], 9), index.upsertAsync(ids, [vector])];
    query.fill(0);
    vector.fill(0);
    ids[0] = 'other';
    assert.deepEqual((await searching).hits(0), hitsOf(first())[0]);
    await upserting;
    checkHeld(index, wanted);
  }
});

test('Streaming: a call answers from the data set it was called with, and its size is that of the present one', async () => {
  const index = new Streaming<ArrayLike<number>, number>({ dataset: [rows.slice(0, 50)] });
  const searching = index.callAsync(queries, 3);
  await index.indexFromDataset([rows.slice(0, 20)]);
  index.call(queries, 3);
  const result = await searching;
  assert.ok(result.rows.some((row) => row >= 20));
  assert.equal(index.size, 20);
});

test('reads and changes take turns: a change is let in between reads that follow one another without a gap', async () => {
  const access = new IndexAccess();
  let isOver = false;
  let reads = 0;
  const readOn = async (): Promise<void> => {
    while (!isOver) {
      await access.read('read', async () => {
        await new Promise((resolve) => setImmediate(resolve));
        reads++;
      });
    }
  };
  const reading = [readOn(), readOn()];
  const order: number[] = [];
  await Promise.all(Array.from({ length: 30 }, (_, i) => access.change('change', () => order.push(i))));
  assert.deepEqual(
    order,
    order.map((_, i) => i),
  );
  const before = reads;
  while (reads < before + 4) await new Promise((resolve) => setImmediate(resolve));
  isOver = true;
  await Promise.all(reading);
});

test('an error of a change or a read is its own: those after it go on', async () => {
  const access = new IndexAccess();
  const fail = (): never => {
    throw new Error('mine');
  };
  const reading = access.read('read', async () => {
    await new Promise((resolve) => setImmediate(resolve));
    fail();
  });
  const failing = access.change('change', fail);
  const next = access.change('change', () => 'done');
  await assert.rejects(reading, /mine/);
  await assert.rejects(failing, /mine/);
  assert.equal(await next, 'done');
  const steps = function* (): Generator<number, string> {
    yield 1;
    fail();
    return 'never';
  };
  const long = access.changeInSteps('long', { begin: steps });
  const waiting = access.change('change', () => 'after');
  await assert.rejects(long, /mine/);
  assert.equal(await waiting, 'after');
});

test('a search is not slower for it: `call` makes no promise', () => {
  const index = INDEXES.BruteForce!().index(normalRows(50, 4, 1));
  const { Promise: real } = globalThis;
  let made = 0;
  globalThis.Promise = class<T> extends real<T> {
    constructor(executor: ConstructorParameters<typeof real<T>>[0]) {
      super(executor);
      made++;
    }
  } as typeof real;
  try {
    index.call([1, 0, 0, 0], 3);
  } finally {
    globalThis.Promise = real;
  }
  assert.equal(made, 0);
});
