/** The flow in a real Chromium, with and without cross-origin isolation: the same bits as in Node. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { bundleOf } from './bundle.ts';
import { type FlowResult, flow } from './flow.ts';

const CHROMIUM = [process.env.SHORTLIST_CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => name && spawnSync(name, ['--version']).status === 0,
);
const skip = CHROMIUM ? false : 'no chromium here; SHORTLIST_CHROMIUM may name one';

/** The headers that isolate a page; without them it has no SharedArrayBuffer and no threads. */
const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

interface Sent {
  isIsolated: boolean;
  result?: FlowResult;
  error?: string;
}

/** The message that the page sends when Chromium opens it. */
async function openPage(program: Uint8Array, headers: Record<string, string>): Promise<Sent> {
  const profile = mkdtempSync(join(tmpdir(), 'shortlist-chromium-'));
  const server = createServer((request, response) => {
    const isProgram = request.url === '/page.js';
    response.writeHead(200, { ...headers, 'Content-Type': isProgram ? 'text/javascript' : 'text/html' });
    if (request.url === '/result') server.emit('result', request);
    else if (isProgram) response.end(program);
    else response.end('<!doctype html><script type="module" src="/page.js"></script>');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', `--user-data-dir=${profile}`];
  // A group of its own, so that all its processes can be ended together.
  const browser = spawn(CHROMIUM!, [...flags, url], { stdio: 'ignore', detached: true });
  const ended = once(browser, 'exit');
  try {
    const sent = await Promise.race([once(server, 'result'), ended.then(() => undefined)]);
    assert.ok(sent, 'chromium ended before the page sent its result');
    return JSON.parse(await text(sent[0] as IncomingMessage)) as Sent;
  } finally {
    browser.kill('SIGTERM');
    await ended;
    endGroup(browser.pid!);
    server.closeAllConnections();
    server.close();
    // A process that is being ended may still write to its profile: what is left of it then is no fault of the library.
    await rm(profile, { recursive: true, force: true, maxRetries: 10 }).catch((error: Error) =>
      console.error(error.message),
    );
  }
}

/** End the processes of a group that are left after its first has ended. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // None is left.
  }
}

test('train, index, query, update, save and load in Chromium', { skip }, async () => {
  const { threads: _, ...expected } = await flow();
  const program = await bundleOf('page.js', { platform: 'browser', format: 'esm' });
  for (const headers of [{}, ISOLATION]) {
    const { isIsolated, result, error } = await openPage(program, headers);
    assert.equal(error, undefined);
    assert.equal(isIsolated, headers === ISOLATION);
    const { threads, ...same } = result!;
    assert.deepEqual(same, expected);
    if (!isIsolated) assert.equal(threads, 1);
    else assert.ok(threads > 1, 'expected Web Workers to help');
  }
});
