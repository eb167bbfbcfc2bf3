/**
 * A Fastify server that does nothing but what a row is compared with.
 *
 *   node empty.js [--read FILE] [--append FILE]
 *
 * POST /empty answers at once. With `--read` the bytes of a file are read before the server listens, as a server reads its
 * bundle. With `--append` POST /append writes the body as one record to the end of the file and answers after the write,
 * and the file is synced at most 10 ms later: the policy of `shortlist serve --fsync 10`, with a write a request.
 */
import { open, readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import fastify from 'fastify';

const SYNC_MS = 10;

const { values } = parseArgs({ options: { read: { type: 'string' }, append: { type: 'string' } } });
const app = fastify();
app.post('/empty', async () => ({ ok: true }));
if (values.append !== undefined) await takeAppends(values.append);
if (values.read !== undefined) await readFile(values.read);
await app.listen({ port: 0, host: '127.0.0.1' });
console.log(`Listening on port ${(app.server.address() as AddressInfo).port}`);

async function takeAppends(path: string): Promise<void> {
  const file = await open(path, 'a');
  let isWaiting = false;
  const sync = (): void => {
    isWaiting = false;
    void file.datasync();
  };
  app.post('/append', async ({ body }) => {
    await file.write(`${JSON.stringify(body)}\n`);
    if (!isWaiting) setTimeout(sync, SYNC_MS);
    isWaiting = true;
    return { ok: true };
  });
}
