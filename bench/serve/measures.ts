/** The rows of the serving table: each starts servers of its own, and returns one row. */
import { rmSync } from 'node:fs';
import { cp, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { interleave, quantile } from '../harness/interleave.ts';
import { type Row, row } from '../harness/rows.ts';
import type { ServedWork } from './bundle.ts';
import type { LoadPlan, LoadResult } from './load.ts';
import { type Listening, runLoad, startEmpty, startServer } from './processes.ts';

const CONNECTIONS = 32;
const ROUNDS = 3;
const ROUND_MS = 5_000;
const RECALL_MIN = 0.98;
const PREDICT = '/v1/models/movies:predict';
/** Queries a second beside a change of versions: far below capacity, so that a p99 is the server's and not a queue's. */
const BESIDE = 500;
/** A little longer than either change takes. */
const BESIDE_MS = 7_000;

const p99 = ({ latenciesMs }: LoadResult): number => quantile(latenciesMs, 0.99);

function plan(port: number, path: string, bodies: readonly string[], more: Partial<LoadPlan> = {}): LoadPlan {
  return { port, path, bodies, connections: CONNECTIONS, durationMs: ROUND_MS, rate: 0, ...more };
}

function predictBodies({ users }: ServedWork): string[] {
  return users.map((user) => JSON.stringify({ instances: [user] }));
}

function upsertBodies({ dimensions }: ServedWork, count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    JSON.stringify({ candidates: [{ id: `new ${i}`, embedding: new Array(dimensions).fill(0.001) }] }),
  );
}

/** Recall@10 of what the server answers. */
async function recall(server: Listening, { users, truth }: ServedWork): Promise<number> {
  let found = 0;
  let wanted = 0;
  for (const [i, best] of truth.entries()) {
    const body = JSON.stringify({ instances: [users[i]] });
    const response = await fetch(`http://127.0.0.1:${server.port}${PREDICT}`, { method: 'POST', body });
    const { predictions } = (await response.json()) as { predictions: { identifiers: string[] }[] };
    found += predictions[0]!.identifiers.filter((identifier) => best.includes(identifier)).length;
    wanted += best.length;
  }
  return found / wanted;
}

async function withServer<T>(
  { basePath }: ServedWork,
  use: (server: Listening) => Promise<T>,
  ...options: string[]
): Promise<T> {
  const server = await startServer(basePath, ...options);
  try {
    return await use(server);
  } finally {
    await server.stop();
    // What a run changed is not what the next one starts from.
    for (const name of await readdir(basePath)) if (name !== '1') rmSync(join(basePath, name), { recursive: true });
    for (const name of await readdir(join(basePath, '1'))) {
      if (!name.endsWith('.shortlist')) rmSync(join(basePath, '1', name));
    }
  }
}

/** From the start of a process to the line that says it serves. */
export async function loading(work: ServedWork): Promise<Row> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) times.push(await withServer(work, async ({ startedMs }) => startedMs));
  times.sort((a, b) => a - b);
  return row({
    work: `process start to ready, ${work.candidates} candidates`,
    ours: quantile(times, 0.5) / 1000,
    peer: null,
    unit: 's',
    required: { atMost: 1.5 },
  });
}

/** As many requests as are answered, against a route that does nothing. */
export function throughput(work: ServedWork): Promise<Row> {
  return withServer(work, async (server) => {
    const quality = await recall(server, work);
    const empty = await startEmpty();
    const rate = async (load: LoadPlan): Promise<number> => {
      const { answered, failed, seconds } = await runLoad(load);
      if (failed > 0) throw new Error(`${failed} requests to ${load.path} failed`);
      return answered / seconds;
    };
    const bodies = predictBodies(work);
    const ours = (): Promise<number> => rate(plan(server.port, PREDICT, bodies));
    const peer = (): Promise<number> => rate(plan(empty.port, '/empty', bodies));
    // Compilers take seconds to be done with either: what is compared is how they go on.
    await Promise.all([ours(), peer()]);
    const compared = await interleave(ours, peer, ROUNDS);
    await empty.stop();
    return row({
      work: `predict, ${CONNECTIONS} connections, against an empty Fastify route`,
      ours: 1 / compared.ours.median,
      peer: 1 / compared.peer!.median,
      unit: 's a request',
      required: { faster: 0.5 },
      qualityHolds: quality >= RECALL_MIN,
      quality: {
        'recall@10': quality.toFixed(4),
        'ours a second': Math.round(compared.ours.median),
        'empty a second': Math.round(compared.peer!.median),
      },
    });
  });
}

/** Latency at a thousand requests a second. */
export function steadyRate(work: ServedWork): Promise<Row> {
  return withServer(work, async (server) => {
    const load = plan(server.port, PREDICT, predictBodies(work), { rate: 1000, durationMs: 15_000 });
    await runLoad({ ...load, durationMs: 3_000 });
    const result = await runLoad(load);
    return row({
      work: 'predict at 1,000 requests a second, p99',
      ours: p99(result),
      peer: null,
      unit: 'ms',
      required: { atMost: 10 },
      qualityHolds: result.failed === 0,
      quality: { p50: quantile(result.latenciesMs, 0.5).toFixed(2), answered: result.answered, failed: result.failed },
    });
  });
}

/** Upserts, one a request, while queries run. */
export function upserts(work: ServedWork): Promise<Row> {
  return withServer(
    work,
    async (server) => {
      const querying = runLoad(
        plan(server.port, PREDICT, predictBodies(work), { connections: 8, rate: 200, durationMs: 8_000 }),
      );
      const { answered, failed, seconds } = await runLoad(
        plan(server.port, '/v1/candidates/upsert', upsertBodies(work, 2000), { durationMs: 7_000 }),
      );
      const queries = await querying;
      return row({
        work: 'upserts acknowledged a second, fsync every 10 ms, 200 queries a second beside',
        ours: answered / seconds,
        peer: null,
        unit: '1/s',
        required: { atLeast: 2000 },
        qualityHolds: failed === 0 && queries.failed === 0,
        quality: { 'query p99 ms': p99(queries).toFixed(1), failed: failed + queries.failed },
      });
    },
    '--fsync',
    '10',
  );
}

/** Latencies just before something changes the versions, and while it does. */
interface Beside {
  quiet: LoadResult;
  during: LoadResult;
  tookMs: number;
}

/** Ask for as long as a change takes, and as long before it. */
async function beside(work: ServedWork, { port }: Listening, change: () => Promise<void>): Promise<Beside> {
  const load = plan(port, PREDICT, predictBodies(work), { rate: BESIDE, durationMs: BESIDE_MS });
  await runLoad({ ...load, durationMs: 3_000 });
  const quiet = await runLoad(load);
  const started = performance.now();
  const [during, tookMs] = await Promise.all([
    runLoad(load),
    // The generator is a process that has to start.
    new Promise((resolve) => setTimeout(resolve, 500)).then(change).then(() => performance.now() - started - 500),
  ]);
  return { quiet, during, tookMs };
}

/** Medians of some rounds, each with a server of its own: a p99 is one slow moment of a shared machine. */
async function besideRow(what: string, round: () => Promise<Beside>): Promise<Row> {
  const rounds: Beside[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round());
  const median = (of: (round: Beside) => number): number =>
    quantile(
      rounds.map(of).sort((a, b) => a - b),
      0.5,
    );
  const failed = rounds.reduce((sum, { quiet, during }) => sum + quiet.failed + during.failed, 0);
  return row({
    work: `predict p99 ${what}, against quiet`,
    ours: median(({ during }) => p99(during)),
    peer: median(({ quiet }) => p99(quiet)),
    unit: 'ms',
    required: { ratio: 2 },
    qualityHolds: failed === 0,
    quality: {
      rounds: rounds.map(({ quiet, during }) => `${p99(during).toFixed(1)}/${p99(quiet).toFixed(1)}`).join(' '),
      'took s': median(({ tookMs }) => tookMs / 1000).toFixed(2),
      'of s': (BESIDE_MS / 1000).toFixed(0),
      'slowest ms': Math.max(...rounds.map(({ during }) => during.latenciesMs.at(-1)!)).toFixed(1),
      failed,
    },
  });
}

async function serves(server: Listening, version: number): Promise<void> {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${server.port}/v1/models/movies/versions/${version}`);
    if (response.ok && (await response.text()).includes('"AVAILABLE"')) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Writing a thousand updates into a new version that takes over. */
export function compaction(work: ServedWork): Promise<Row> {
  return besideRow('during compaction', () =>
    withServer(work, async (server) => {
      const { port } = server;
      await runLoad(plan(port, '/v1/candidates/upsert', upsertBodies(work, 1000), { durationMs: 1_000 }));
      return beside(work, server, async () => {
        const response = await fetch(`http://127.0.0.1:${port}/admin/models/movies/compact`, { method: 'POST' });
        if (!response.ok) throw new Error(await response.text());
        await serves(server, 2);
      });
    }),
  );
}

/** A version that was put there takes over. */
export function versionSwitch(work: ServedWork): Promise<Row> {
  return besideRow('while a new version takes over', () =>
    withServer(work, async (server) => {
      const hidden = join(work.basePath, '.coming');
      await cp(join(work.basePath, '1', 'model.shortlist'), join(hidden, 'model.shortlist'), { recursive: true });
      return beside(work, server, async () => {
        await rename(hidden, join(work.basePath, '2'));
        await serves(server, 2);
      });
    }),
  );
}

/** Resident memory after minutes of load, against that after one. */
export function memory(work: ServedWork, minutes: number): Promise<Row> {
  return withServer(work, async (server) => {
    const bodies = predictBodies(work);
    await runLoad(plan(server.port, PREDICT, bodies, { durationMs: 60_000 }));
    const first = server.residentBytes();
    await runLoad(plan(server.port, PREDICT, bodies, { durationMs: (minutes - 1) * 60_000 }));
    return row({
      work: `resident memory after ${minutes} minutes of load, against 1 minute`,
      ours: server.residentBytes() / 2 ** 20,
      peer: first / 2 ** 20,
      unit: 'MiB',
      required: { ratio: 1.05 },
    });
  });
}
