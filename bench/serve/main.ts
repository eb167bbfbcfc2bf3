/**
 * The serving table: `shortlist serve` on 1,683,682 candidates, asked over loopback by a load generator of its own.
 *
 *   npm run bench:serve [-- --json] [-- --minutes 10]
 *
 * Answers are checked against exact ones before anything is timed. Server, load and this script share the machine's
 * cores, as the figures do.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { interleave, quantile } from '../harness/interleave.ts';
import { finish, type Row, row } from '../harness/rows.ts';
import { buildBundle, type ServedWork } from './bundle.ts';
import type { LoadPlan, LoadResult } from './load.ts';
import { type Listening, runLoad, startEmpty, startServer } from './processes.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, json: { type: 'boolean', default: false } },
});
const MINUTES = Math.min(10, Number(values.minutes));
const CONNECTIONS = 32;
const ROUNDS = 3;
const ROUND_MS = 5_000;
const RECALL_MIN = 0.98;
const PREDICT = '/v1/models/movies:predict';

const folder = mkdtempSync(join(tmpdir(), 'shortlist-bench-serve-'));
const log = (text: string): void => console.error(text);
const p99 = ({ latenciesMs }: LoadResult): number => quantile(latenciesMs, 0.99);

const work = await buildBundle(folder);
log(`data: ${work.line}; ${work.candidates} candidates`);
const rows: Row[] = [];
for (const measure of [loading, throughput, atThousand, upserts, versionSwitch, memory]) {
  log(`measuring: ${measure.name}`);
  rows.push(await measure(work));
}
rmSync(folder, { recursive: true });
finish('serve', rows);

function plan(port: number, path: string, bodies: readonly string[], more: Partial<LoadPlan> = {}): LoadPlan {
  return { port, path, bodies, connections: CONNECTIONS, durationMs: ROUND_MS, rate: 0, ...more };
}

function predictBodies({ users }: ServedWork): string[] {
  return users.map((user) => JSON.stringify({ instances: [user] }));
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

async function withServer<T>(use: (server: Listening) => Promise<T>, ...options: string[]): Promise<T> {
  const server = await startServer(work.basePath, ...options);
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

async function loading(work: ServedWork): Promise<Row> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) times.push(await withServer(async ({ startedMs }) => startedMs));
  return row({
    work: `process start to ready, ${work.candidates} candidates`,
    ours:
      quantile(
        times.sort((a, b) => a - b),
        0.5,
      ) / 1000,
    peer: null,
    unit: 's',
    required: { atMost: 1.5 },
  });
}

function throughput(work: ServedWork): Promise<Row> {
  return withServer(async (server) => {
    const quality = await recall(server, work);
    const empty = await startEmpty();
    const rate = async (load: LoadPlan): Promise<number> => {
      const { answered, failed, seconds } = await runLoad(load);
      if (failed > 0) throw new Error(`${failed} requests to ${load.path} failed`);
      return answered / seconds;
    };
    const ours = (): Promise<number> => rate(plan(server.port, PREDICT, predictBodies(work)));
    const peer = (): Promise<number> => rate(plan(empty.port, '/empty', ['{"instances":["42"]}']));
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

function atThousand(work: ServedWork): Promise<Row> {
  return withServer(async (server) => {
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

function upserts(work: ServedWork): Promise<Row> {
  return withServer(
    async (server) => {
      const bodies = Array.from({ length: 2000 }, (_, i) =>
        JSON.stringify({
          candidates: [{ id: `new ${i}`, embedding: new Array(work.dimensions).fill(0.001) }],
        }),
      );
      const querying = runLoad(
        plan(server.port, PREDICT, predictBodies(work), { connections: 8, rate: 200, durationMs: 8_000 }),
      );
      const { answered, failed, seconds } = await runLoad(
        plan(server.port, '/v1/candidates/upsert', bodies, { durationMs: 7_000 }),
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

function versionSwitch(work: ServedWork): Promise<Row> {
  return withServer(async (server) => {
    const load = plan(server.port, PREDICT, predictBodies(work), { rate: 500, durationMs: 8_000 });
    await runLoad({ ...load, durationMs: 2_000 });
    const quiet = await runLoad(load);
    const switching = runLoad(load);
    const hidden = join(work.basePath, '.coming');
    await cp(join(work.basePath, '1', 'model.shortlist'), join(hidden, 'model.shortlist'), { recursive: true });
    await cp(hidden, join(work.basePath, '2'), { recursive: true });
    const during = await switching;
    rmSync(join(work.basePath, '2'), { recursive: true });
    rmSync(hidden, { recursive: true });
    return row({
      work: 'predict p99 while a new version takes over, against quiet',
      ours: p99(during),
      peer: p99(quiet),
      unit: 'ms',
      required: { ratio: 2 },
      qualityHolds: during.failed === 0,
      quality: { failed: during.failed },
    });
  });
}

function memory(work: ServedWork): Promise<Row> {
  return withServer(async (server) => {
    const bodies = predictBodies(work);
    await runLoad(plan(server.port, PREDICT, bodies, { durationMs: 60_000 }));
    const after1 = server.residentBytes();
    await runLoad(plan(server.port, PREDICT, bodies, { durationMs: Math.max(1, MINUTES - 1) * 60_000 }));
    const after10 = server.residentBytes();
    return row({
      work: `resident memory after ${MINUTES} minutes of load, against 1 minute`,
      ours: after10 / 2 ** 20,
      peer: after1 / 2 ** 20,
      unit: 'MiB',
      required: { ratio: 1.05 },
    });
  });
}
