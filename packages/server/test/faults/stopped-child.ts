/**
 * A server in a process of its own that compacts or rebalances a model while updates go on, then removes the old
 * version, and kills itself just before the file operation of a name. It prints what was acknowledged and the names of
 * the operations, and `done` if it was not killed.
 */
import { existsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { post, startTiny } from '../fixtures/tiny-bundle.ts';
import { watchFileOperations } from './file-operations.ts';
import { upsert } from './killing.ts';

/** Upserts before the work. */
const UPSERTS = 20;
/** The part of a name that is random: of a file of a lock, or of a file that is renamed when it is complete. */
const RANDOM_PART = /[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16}(?=\.tmp)/;

const [basePath = '', work = '', stopAt = ''] = process.argv.slice(2);
/** Written at once, so that it is not lost with the process. */
const write = writeSync;
const say = (...words: unknown[]): void => void write(1, `${words.join(' ')}\n`);

const counts = new Map<string, number>();
let isWatching = false;
await watchFileOperations((operation, path) => {
  // The updates of version 1 go on during the work.
  if (!isWatching || !path.startsWith(basePath) || path.endsWith('/1/updates.journal')) return;
  const name = `${operation} ${path.slice(basePath.length).replace(RANDOM_PART, '*')}`;
  const count = (counts.get(name) ?? 0) + 1;
  counts.set(name, count);
  // How often a journal is written and synced depends on the time, but it is more than twice.
  if (count > 2) return;
  say('operation', count, name);
  if (`${count} ${name}` === stopAt) process.kill(process.pid, 'SIGKILL');
});

const server = await startTiny(basePath, { fsync: { everyMs: 5 }, keepVersions: 1, pollMs: 20 });
let next = 0;
const update = async (): Promise<void> => {
  const i = next++;
  if (await upsert(server.httpPort, i)) say('acknowledged', `n${i}`);
};
while (next < UPSERTS) await update();
isWatching = true;
let isOver = false;
const updating = (async () => {
  while (!isOver) await update();
})();
const { status } = await post(server, `/admin/models/films/${work}`, {});
if (status !== 200) throw new Error(`${work}: ${status}`);
while (existsSync(join(basePath, '1'))) await new Promise((resolve) => setTimeout(resolve, 5));
isOver = true;
await updating;
isWatching = false;
await server.close();
say('done');
