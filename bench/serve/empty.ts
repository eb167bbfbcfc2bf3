/**
 * A minimal Fastify server, with which rows are compared.
 *
 *   node empty.js [--read FILE] [--append FILE]
 *
 * POST /empty responds at once. With `--read` the server reads the bytes of a file before it listens, as a server reads its
 * bundle. With `--append`, POST /append appends its body to a file and responds after the write; the file is synced at most
 * 10 ms later, as with `shortlist serve --fsync 10`.
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
