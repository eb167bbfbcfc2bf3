/**
 * Random interleavings of queries, upserts, deletes, compactions, rebalances and restarts of a server, checked against a
 * plain model: for each identifier the list of its writes, with the moments at which each began and was acknowledged.
 *
 * A query may show a write that began before the query ended, unless a later write of the same identifier, one that began
 * after the acknowledgement of the first, was itself acknowledged before the query began.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';
import { isThorough } from '../thorough.ts';

type Server = Awaited<ReturnType<typeof startTiny>>;

/** Deletion, as the score of an identifier that is not found. */
const ABSENT = Number.NEGATIVE_INFINITY;
/** Identifiers that are written: two of the bundle's, four new ones. */
const WRITTEN: readonly string[] = ['film0', 'film1', 'm0', 'm1', 'm2', 'm3'];
const SEED = Number(process.env.SHORTLIST_SEED ?? 20_261_128);

/** A write of one identifier: an upsert whose vector scores `score`, or a deletion. Moments are numbers that ascend. */
interface Write {
  score: number;
  began: number;
  /** Infinity until it is acknowledged. */
  acknowledged: number;
}

interface Shown {
  id: string;
  score: number;
}

/** A server, and what it must hold. */
class CheckedServer {
  readonly #basePath: string;
  readonly #processes: number;
  #server: Server;
  readonly #writes = new Map<string, Write[]>();
  /** Candidates that nobody writes, which must be in every answer as they are. */
  #others: Shown[] = [];
  #moment = 0;
  #score = 100;
  queries = 0;
  compactions = 0;

  private constructor(basePath: string, processes: number, server: Server) {
    this.#basePath = basePath;
    this.#processes = processes;
    this.#server = server;
  }

  static async start(scann: boolean, processes: number): Promise<CheckedServer> {
    const basePath = await tinyBasePath({ scann });
    const checked = new CheckedServer(basePath, processes, await startTiny(basePath, { processes }));
    const shown = await checked.#ask();
    checked.#others = shown.filter(({ id }) => !WRITTEN.includes(id));
    for (const id of WRITTEN) {
      const score = shown.find((each) => each.id === id)?.score ?? ABSENT;
      checked.#writes.set(id, [{ score, began: -1, acknowledged: -1 }]);
    }
    return checked;
  }

  /** All candidates, by exact scores: every leaf is searched. */
  async #ask(): Promise<Shown[]> {
    const query = { embedding: [1, 0, 0, 0], k: 1000, leavesToSearch: 1000, reorder: 1000 };
    const { status, body } = await post(this.#server, '/v1/shortlist', query);
    assert.equal(status, 200, JSON.stringify(body));
    return (body as { results: Shown[] }).results;
  }

  async query(): Promise<void> {
    const began = this.#moment++;
    const shown = await this.#ask();
    const ended = this.#moment++;
    this.queries++;
    assert.deepEqual(
      shown.filter(({ id }) => !WRITTEN.includes(id)),
      this.#others,
    );
    for (const id of WRITTEN) {
      const found = shown.filter((each) => each.id === id);
      assert.ok(found.length <= 1, `${id} comes ${found.length} times`);
      const score = found[0]?.score ?? ABSENT;
      const writes = this.#writes.get(id)!;
      const isReplaced = (write: Write): boolean =>
        writes.some((later) => later.began > write.acknowledged && later.acknowledged < began);
      const isAllowed = writes.some((write) => write.score === score && write.began < ended && !isReplaced(write));
      assert.ok(isAllowed, `${id} shows ${score} at ${began} to ${ended}, of ${JSON.stringify(writes)}`);
    }
  }

  async #write(ids: readonly string[], scores: readonly number[], send: () => ReturnType<typeof post>): Promise<void> {
    const began = this.#moment++;
    const writes = ids.map((id, i): Write => {
      const write = { score: scores[i]!, began, acknowledged: Number.POSITIVE_INFINITY };
      this.#writes.get(id)!.push(write);
      return write;
    });
    const { status, body } = await send();
    assert.equal(status, 200, JSON.stringify(body));
    const acknowledged = this.#moment++;
    for (const write of writes) write.acknowledged = acknowledged;
  }

  upsert(ids: readonly string[]): Promise<void> {
    const scores = ids.map(() => ++this.#score);
    const candidates = ids.map((id, i) => ({ id, embedding: [scores[i], 0, 0, 0] }));
    return this.#write(ids, scores, () => post(this.#server, '/v1/candidates/upsert', { candidates }));
  }

  delete(ids: readonly string[]): Promise<void> {
    const scores = ids.map(() => ABSENT);
    return this.#write(ids, scores, () => post(this.#server, '/v1/candidates/delete', { ids }));
  }

  /** Write the next version and serve it. Refused while another does, and where there are no leaves to rebalance. */
  async compact(verb: 'compact' | 'rebalance'): Promise<void> {
    const { status, body } = await post(this.#server, `/admin/models/films/${verb}`, {});
    if (status === 200) this.compactions++;
    else assert.match(JSON.stringify(body), /is being compacted already|no leaves to rebalance/);
  }

  /** Stop, when nothing is under way, and serve again what lies on disk: the same as before. */
  async restart(): Promise<void> {
    const before = await this.#ask();
    await this.#server.close();
    this.#server = await startTiny(this.#basePath, { processes: this.#processes });
    for (let process = 0; process < this.#processes; process++) {
      const byId = (a: Shown, b: Shown): number => (a.id < b.id ? -1 : 1);
      assert.deepEqual((await this.#ask()).sort(byId), [...before].sort(byId));
    }
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}

const ids = fc.uniqueArray(fc.constantFrom(...WRITTEN), { minLength: 1, maxLength: 3 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ verb: fc.constant('upsert' as const), ids }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('delete' as const), ids }) },
  { weight: 4, arbitrary: fc.record({ verb: fc.constant('query' as const), ids }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('compact' as const), ids }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('rebalance' as const), ids }) },
);

/** [index, processes, runs]; a run is up to 16 verbs and a restart. */
const SERVERS: readonly (readonly [string, number, number])[] = [
  ['BruteForce', 1, 6],
  ['ScaNN', 1, 6],
  ['ScaNN', 2, 3],
];

for (const [kind, processes, runs] of SERVERS) {
  test(`${kind}, ${processes} at once: no interleaving shows a write too early, too late or never`, async (t) => {
    const server = await CheckedServer.start(kind === 'ScaNN', processes);
    t.after(() => server.close());
    const property = fc.asyncProperty(
      fc.scheduler(),
      fc.array(step, { minLength: 6, maxLength: 16 }),
      fc.array(fc.nat(60), { minLength: 16, maxLength: 16 }),
      async (scheduler, steps, pauses) => {
        const started: Promise<void>[] = [];
        const start = (work: Promise<void>): void => {
          work.catch(() => undefined);
          started.push(work);
        };
        // Verbs begin in any order, without waiting for each other.
        for (const [i, { verb, ids }] of steps.entries()) {
          void scheduler.schedule(Promise.resolve(), `${i} ${verb} ${ids}`).then(() => {
            if (verb === 'query') start(server.query());
            else if (verb === 'upsert' || verb === 'delete') start(server[verb](ids));
            else start(server.compact(verb));
          });
        }
        while (scheduler.count() > 0) {
          await scheduler.waitOne();
          // What has begun goes on for a while before the next verb begins: a compaction takes some hundred turns.
          const turns = pauses[scheduler.count() % pauses.length]!;
          for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        }
        await Promise.all(started);
        for (let process = 0; process < processes; process++) await server.query();
        await server.restart();
      },
    );
    console.log(`seed ${SEED}`);
    await fc.assert(property, { numRuns: isThorough ? runs : Math.ceil(runs / 3), seed: SEED, endOnFailure: true });
    assert.ok(server.queries > runs / 2 && server.compactions > 0, 'something was asked and compacted');
  });
}
