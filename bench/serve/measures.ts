/** The measurements of the serving table. Each starts its own servers and returns one row. */
import { mkdtempSync, rmSync } from 'node:fs';
import { cp, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { interleaveSides, quantile } from '../harness/interleave.ts';
import { type Row, row } from '../harness/rows.ts';
import type { ServedWork } from './bundle.ts';
import type { LoadPlan, LoadResult } from './load.ts';
import { type Listening, runLoad, startEmpty, startServer } from './processes.ts';

const CONNECTIONS = 32;
const ROUNDS = 3;
const START_ROUNDS = 5;
/**
 * The largest ratio of the start to that of an empty server that reads the same bytes: measured 2.6 with two processes, 4.3 on
 * a loaded machine.
 */
const START_RATIO_MAX = 3.5;
/** The least ratio of upserts to appends of the same bodies: measured .30 with two processes, .22 on a loaded machine. */
const APPEND_SHARE_MIN = 0.2;
const ROUND_MS = 5_000;
const RECALL_MIN = 0.98;
const PREDICT = '/v1/models/movies:predict';
/** Queries a second during a change of versions. They are far below the capacity, so that the p99 is not that of a queue. */
const CHANGE_RATE = 500;
/** The duration of a measurement, longer than a change of versions, which the processes load one after the other. */
const CHANGE_MS = 12_000;

/** The bundle that is served, and the number of processes. */
export interface Setup extends ServedWork {
  processes: number;
}

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

/** Recall@10 of the results of all processes of a server. */
async function recall(server: Listening, { users, truth, processes }: Setup): Promise<number> {
  let found = 0;
  let wanted = 0;
  // The server assigns connections to processes in turn, so that every process gets the queries of all users.
  const headers = { connection: 'close' };
  for (const [i, best] of truth.entries()) {
    const body = JSON.stringify({ instances: [users[i]] });
    for (let process = 0; process < processes; process++) {
      const response = await fetch(`http://127.0.0.1:${server.port}${PREDICT}`, { method: 'POST', headers, body });
      const { predictions } = (await response.json()) as { predictions: { identifiers: string[] }[] };
      found += predictions[0]!.identifiers.filter((identifier) => best.includes(identifier)).length;
      wanted += best.length;
    }
  }
  return found / wanted;
}

async function withServer<T>(
  { basePath, processes }: Setup,
  use: (server: Listening) => Promise<T>,
  ...options: string[]
): Promise<T> {
  const server = await startServer(basePath, '--processes', String(processes), ...options);
  try {
    return await use(server);
  } finally {
    await server.stop();
    // The files that a run wrote are removed before the next run.
    for (const name of await readdir(basePath)) if (name !== '1') rmSync(join(basePath, name), { recursive: true });
    for (const name of await readdir(join(basePath, '1'))) {
      if (!name.endsWith('.shortlist')) rmSync(join(basePath, '1', name));
    }
  }
}

/** The time from the start of the process until it serves, compared with an empty server that reads the bytes of the bundle. */
export async function loading(work: Setup): Promise<Row> {
  const bundle = join(work.basePath, '1', 'model.shortlist');
  const empty = async (): Promise<number> => {
    const server = await startEmpty('--read', bundle);
    await server.stop();
    return server.startedMs;
  };
  // At the first start of each, files may not be in the page cache.
  await withServer(work, async () => undefined);
  await empty();
  const times: { ours: number; peer: number }[] = [];
  for (let round = 0; round < START_ROUNDS; round++) {
    times.push({ ours: await withServer(work, async ({ startedMs }) => startedMs), peer: await empty() });
  }
  const median = (values: number[]): number =>
    quantile(
      values.sort((a, b) => a - b),
      0.5,
    );
  const ours = median(times.map((time) => time.ours));
  const peer = median(times.map((time) => time.peer));
  return row({
    work: `process start to ready, ${work.candidates} candidates, against an empty server that reads the same bytes`,
    ours: ours / 1000,
    peer: peer / 1000,
    unit: 's',
    required: { ratio: START_RATIO_MAX },
  });
}

/** The throughput of all processes, and of one, compared with an empty route. */
export function throughput(work: Setup): Promise<Row[]> {
  return withServer(work, async (server) => {
    // A bundle file without a folder, because two servers cannot share a journal.
    const single = await startServer(join(work.basePath, '1', 'model.shortlist'), '--processes', '1');
    try {
      return await compared(work, server, single);
    } finally {
      await single.stop();
    }
  });
}

async function compared(work: Setup, server: Listening, single: Listening): Promise<Row[]> {
  const setups = [work, { ...work, processes: 1 }];
  const recalls = [await recall(server, setups[0]!), await recall(single, setups[1]!)];
  const empty = await startEmpty();
  const bodies = predictBodies(work);
  const rate = (port: number, path: string) => async (): Promise<number> => {
    const { answered, failed, seconds } = await runLoad(plan(port, path, bodies));
    if (failed > 0) throw new Error(`${failed} requests to ${path} failed`);
    return answered / seconds;
  };
  const sides = [rate(server.port, PREDICT), rate(single.port, PREDICT), rate(empty.port, '/empty')];
  // The first seconds, in which V8 compiles the code, do not count.
  await Promise.all(sides.map((side) => side()));
  const [together, alone, peer] = await interleaveSides(sides, ROUNDS);
  await empty.stop();
  return [together!, alone!].map((ours, i) => {
    const { processes } = setups[i]!;
    return row({
      work: `predict, ${CONNECTIONS} connections, ${inWords(processes)}, against an empty Fastify route`,
      ours: 1 / ours.median,
      peer: 1 / peer!.median,
      unit: 's a request',
      required: i === 0 ? { faster: 0.5 } : { none: true },
      qualityHolds: recalls[i]! >= RECALL_MIN,
      quality: {
        processes,
        'recall@10': recalls[i]!.toFixed(4),
        'ours a second': Math.round(ours.median),
        'empty a second': Math.round(peer!.median),
        'share of empty': (ours.median / peer!.median).toFixed(3),
      },
    });
  });
}

function inWords(processes: number): string {
  return processes === 1 ? 'one process' : `${processes} processes`;
}

/** Latency at a thousand requests a second. */
export function steadyRate(work: Setup): Promise<Row> {
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

/** The throughput of upserts during queries, compared with a server that only appends their bodies to a file. */
export function upserts(work: Setup): Promise<Row> {
  const folder = mkdtempSync(join(work.basePath, '..', 'appended-'));
  return withServer(
    work,
    async (server) => {
      const appending = await startEmpty('--append', join(folder, 'journal'));
      const bodies = upsertBodies(work, 2000);
      let failed = 0;
      const queryP99s: number[] = [];
      // Queries run during both measurements, so that both share the cores with them.
      const rate = (port: number, path: string) => async (): Promise<number> => {
        const queries = plan(server.port, PREDICT, predictBodies(work), { connections: 8, rate: 200 });
        const [queried, done] = await Promise.all([runLoad(queries), runLoad(plan(port, path, bodies))]);
        failed += queried.failed + done.failed;
        if (port === server.port) queryP99s.push(p99(queried));
        return done.answered / done.seconds;
      };
      try {
        const sides = [rate(server.port, '/v1/candidates/upsert'), rate(appending.port, '/append')];
        const [ours, peer] = await interleaveSides(sides, ROUNDS);
        return row({
          work: 'upserts acknowledged, fsync every 10 ms, 200 queries a second beside, against appending their bodies',
          ours: 1 / ours!.median,
          peer: 1 / peer!.median,
          unit: 's an upsert',
          required: { faster: APPEND_SHARE_MIN },
          qualityHolds: failed === 0,
          quality: {
            'upserts a second': Math.round(ours!.median),
            'appends a second': Math.round(peer!.median),
            'query p99 ms': Math.max(...queryP99s).toFixed(1),
            failed,
          },
        });
      } finally {
        await appending.stop();
        rmSync(folder, { recursive: true });
      }
    },
    '--fsync',
    '10',
  );
}

/** Latencies before and during a change of versions. */
interface VersionChange {
  before: LoadResult;
  during: LoadResult;
  durationMs: number;
}

/** Measure during a change, and for the same time before it. */
async function measureChange(work: Setup, { port }: Listening, change: () => Promise<void>): Promise<VersionChange> {
  const load = plan(port, PREDICT, predictBodies(work), { rate: CHANGE_RATE, durationMs: CHANGE_MS });
  await runLoad({ ...load, durationMs: 3_000 });
  const before = await runLoad(load);
  const started = performance.now();
  const [during, durationMs] = await Promise.all([
    runLoad(load),
    // Wait until the process of the load generator has started.
    new Promise((resolve) => setTimeout(resolve, 500)).then(change).then(() => performance.now() - started - 500),
  ]);
  return { before, during, durationMs };
}

/** Medians of several rounds, each with a new server, because a single slow moment can decide a p99. */
async function versionChangeRow(what: string, round: () => Promise<VersionChange>): Promise<Row> {
  const rounds: VersionChange[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round());
  const median = (of: (round: VersionChange) => number): number =>
    quantile(
      rounds.map(of).sort((a, b) => a - b),
      0.5,
    );
  const failed = rounds.reduce((sum, { before, during }) => sum + before.failed + during.failed, 0);
  return row({
    work: `predict p99 ${what}, against quiet`,
    ours: median(({ during }) => p99(during)),
    peer: median(({ before }) => p99(before)),
    unit: 'ms',
    required: { ratio: 2 },
    qualityHolds: failed === 0,
    quality: {
      rounds: rounds.map(({ before, during }) => `${p99(during).toFixed(1)}/${p99(before).toFixed(1)}`).join(' '),
      'took s': median(({ durationMs }) => durationMs / 1000).toFixed(2),
      'of s': (CHANGE_MS / 1000).toFixed(0),
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

/** A compaction: a thousand updates are written into a new version, which replaces the old one. */
export function compaction(work: Setup): Promise<Row> {
  return versionChangeRow('during compaction', () =>
    withServer(work, async (server) => {
      const { port } = server;
      await runLoad(plan(port, '/v1/candidates/upsert', upsertBodies(work, 1000), { durationMs: 1_000 }));
      return measureChange(work, server, async () => {
        const response = await fetch(`http://127.0.0.1:${port}/admin/models/movies/compact`, { method: 'POST' });
        if (!response.ok) throw new Error(await response.text());
        await serves(server, 2);
      });
    }),
  );
}

/** A new version in the folder replaces the old one. */
export function versionSwitch(work: Setup): Promise<Row> {
  return versionChangeRow('while a new version takes over', () =>
    withServer(work, async (server) => {
      const hidden = join(work.basePath, '.coming');
      await cp(join(work.basePath, '1', 'model.shortlist'), join(hidden, 'model.shortlist'), { recursive: true });
      return measureChange(work, server, async () => {
        await rename(hidden, join(work.basePath, '2'));
        await serves(server, 2);
      });
    }),
  );
}

/** Resident memory after some minutes of load, compared with that after one minute. */
export function memory(work: Setup, minutes: number): Promise<Row> {
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
