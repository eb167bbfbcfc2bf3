/** Start a server process, send it updates, kill it with SIGKILL, and look at what a new one finds. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FILM_DIMENSIONS, FILMS, post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const CHILD = fileURLToPath(new URL('./killed-child.js', import.meta.url));

export async function startChild(basePath: string): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [CHILD, basePath], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, port: Number(line.toString()) };
}

/** An embedding that tells its number: a half-written one would not. */
const embeddingOf = (i: number): number[] => new Array(FILM_DIMENSIONS).fill(i + 1);

export async function upsert(port: number, i: number): Promise<boolean> {
  const body = JSON.stringify({ candidates: [{ id: `n${i}`, embedding: embeddingOf(i), attributes: { year: i } }] });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`http://127.0.0.1:${port}/v1/candidates/upsert`, { method: 'POST', headers, body });
  await response.arrayBuffer();
  return response.ok;
}

/**
 * The added candidates that a new server finds, and the number of those with other numbers than were sent.
 *
 * @throws {Error} when a candidate is there twice, or one of the films is not
 */
export async function findAfter(basePath: string): Promise<{ found: Set<string>; half: number }> {
  const server = await startTiny(basePath);
  const { body } = await post(server, '/v1/shortlist', {
    embedding: [1, 0, 0, 0],
    k: 1000,
    leavesToSearch: 1000,
    reorder: 1000,
    filter: { not: { equals: { genre: 'x' } } },
  });
  const results = (body as { results: { id: string; score: number; year: number; genre?: string }[] }).results;
  await server.close();
  const added = results.filter(({ id }) => id.startsWith('n'));
  const half = added.filter(({ id, score, year }) => score !== Number(id.slice(1)) + 1 || year !== score - 1).length;
  if (results.length - added.length !== FILMS) throw new Error(`${results.length - added.length} films are left`);
  const found = new Set(added.map(({ id }) => id));
  if (found.size < added.length) throw new Error(`${added.length - found.size} candidates are there twice`);
  return { found, half };
}

/** Kill while `count` upserts are sent, eight at a time; killed after about half of them. */
export async function killDuringUpserts(
  count: number,
): Promise<{ acknowledged: string[]; found: Set<string>; half: number }> {
  const basePath = await tinyBasePath();
  const { child, port } = await startChild(basePath);
  const exited = once(child, 'exit');
  const acknowledged: string[] = [];
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < count) {
      const i = next++;
      if (!(await upsert(port, i).catch(() => false))) return;
      acknowledged.push(`n${i}`);
      if (acknowledged.length === count >> 1) child.kill('SIGKILL');
    }
  };
  await Promise.all(Array.from({ length: 8 }, sender));
  await exited;
  return { acknowledged, ...(await findAfter(basePath)) };
}

/** Kill while `count` events of one user are sent, four at a time; acknowledged ones, and what a fresh server has of them. */
export async function killDuringEvents(count: number): Promise<{ acknowledged: string[]; found: Set<string> }> {
  const basePath = await tinyBasePath();
  const { child, port } = await startChild(basePath);
  const exited = once(child, 'exit');
  const acknowledged: string[] = [];
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < count) {
      const pair = [`n${next++}`, `n${next++}`];
      const body = JSON.stringify({ events: pair.map((item) => ({ user: 'u1', item })) });
      const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
      const response = await fetch(`http://127.0.0.1:${port}/v1/events`, request).catch(() => undefined);
      if (!response?.ok) return;
      acknowledged.push(...pair);
      if (acknowledged.length >= count >> 1) child.kill('SIGKILL');
    }
  };
  await Promise.all(Array.from({ length: 4 }, sender));
  await exited;
  const server = await startTiny(basePath);
  const { seenItems } = server.registry.choose('films', {}).servable;
  const found = new Set(seenItems.itemsOf('u1').map(String));
  await server.close();
  return { acknowledged, found };
}

/** The states of a compaction or rebalance on disk, in this order. */
export type Stage = 'asked' | 'begun' | 'saved' | 'loaded' | 'switched';

const STAGES: Readonly<Record<Stage, (basePath: string) => boolean>> = {
  asked: () => true,
  begun: (basePath) => existsSync(join(basePath, '.compacting-2')),
  saved: (basePath) => existsSync(join(basePath, '.compacting-2', 'model.shortlist')),
  loaded: (basePath) => existsSync(join(basePath, '.compacting-2', 'updates.journal')),
  switched: (basePath) => existsSync(join(basePath, '2')),
};

/** Kill when a compaction or rebalance has got to a stage, while updates go on. */
export async function killDuring(
  work: 'compact' | 'rebalance',
  count: number,
  stage: Stage,
): Promise<{ acknowledged: string[]; found: Set<string>; half: number; folders: string[] }> {
  const basePath = await tinyBasePath({ scann: work === 'rebalance' });
  const { child, port } = await startChild(basePath);
  const exited = once(child, 'exit');
  const acknowledged: string[] = [];
  for (let i = 0; i < count; i++) if (await upsert(port, i)) acknowledged.push(`n${i}`);
  const working = fetch(`http://127.0.0.1:${port}/admin/models/films/${work}`, { method: 'POST' }).catch(
    () => undefined,
  );
  const updating = (async () => {
    for (let i = count; await upsert(port, i).catch(() => false); i++) acknowledged.push(`n${i}`);
  })();
  // Once it has switched no earlier stage comes back.
  while (!STAGES[stage](basePath) && !STAGES.switched(basePath)) await new Promise((resolve) => setImmediate(resolve));
  child.kill('SIGKILL');
  await exited;
  await Promise.all([working, updating]);
  return { acknowledged, ...(await findAfter(basePath)), folders: readdirSync(basePath) };
}
