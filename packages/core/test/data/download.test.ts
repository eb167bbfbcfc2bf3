/** The download, from a server on the loopback address that behaves correctly, and incorrectly in every known way. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type DownloadOptions, download } from '../../src/data/download.ts';
import { type Loopback, sendFile, serve, sha256 } from './archives.ts';

const BYTES = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i) >> 7));
const root = mkdtempSync(join(tmpdir(), 'shortlist-'));
after(() => rmSync(root, { recursive: true }));

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Runs `work` with options for a server of this behaviour and a part file that holds `held`. */
async function at(
  handler: Handler,
  held: Uint8Array | undefined,
  work: (options: DownloadOptions, server: Loopback) => Promise<void>,
): Promise<void> {
  const server = await serve(handler);
  const partFile = join(mkdtempSync(join(root, 'case-')), 'cache', 'file.part');
  if (held !== undefined) {
    mkdirSync(join(partFile, '..'));
    writeFileSync(partFile, held);
  }
  try {
    await work({ url: server.url, sizeBytes: BYTES.length, sha256: sha256(BYTES), partFile }, server);
  } finally {
    server.close();
  }
}

const whole: Handler = (request, response) => sendFile(BYTES, request, response);
const wrong = Buffer.from(BYTES).fill(7, 1_000, 1_010);

test('the whole file, with progress, and no part file left', async () => {
  await at(whole, undefined, async (options, server) => {
    const seen: number[] = [];
    const bytes = await download({
      ...options,
      onProgress: ({ receivedBytes, totalBytes }) => {
        assert.equal(totalBytes, BYTES.length);
        seen.push(receivedBytes);
      },
    });
    assert.ok(BYTES.equals(bytes));
    assert.deepEqual([seen[0], seen.at(-1)], [0, BYTES.length]);
    assert.ok(seen.every((received, i) => i === 0 || received >= seen[i - 1]!));
    assert.deepEqual(server.ranges, ['']);
    assert.equal(existsSync(options.partFile), false);
  });
});

test('goes on where an earlier call broke off', async () => {
  await at(whole, BYTES.subarray(0, 123_456), async (options, server) => {
    const seen: number[] = [];
    const bytes = await download({ ...options, onProgress: ({ receivedBytes }) => seen.push(receivedBytes) });
    assert.ok(BYTES.equals(bytes));
    assert.deepEqual(server.ranges, ['bytes=123456-']);
    assert.equal(seen[0], 123_456);
  });
});

test('a server without ranges is read from the start', async () => {
  const plain: Handler = (_, response) => void response.writeHead(200, { 'content-length': BYTES.length }).end(BYTES);
  await at(plain, BYTES.subarray(0, 1_000), async (options) => {
    assert.ok(BYTES.equals(await download(options)));
  });
});

test('a part file that is whole already needs no request', async () => {
  await at(whole, BYTES, async (options, server) => {
    assert.ok(BYTES.equals(await download(options)));
    assert.deepEqual(server.ranges, []);
  });
});

test('a part file of other bytes, or too long a one, is dropped and the file fetched from the start', async () => {
  await at(whole, wrong.subarray(0, 2_000), async (options, server) => {
    assert.ok(BYTES.equals(await download(options)));
    assert.deepEqual(server.ranges, ['bytes=2000-', '']);
  });
  await at(whole, Buffer.alloc(BYTES.length + 1), async (options, server) => {
    assert.ok(BYTES.equals(await download(options)));
    assert.deepEqual(server.ranges, ['']);
  });
});

test('a transfer that breaks off is taken up again', async () => {
  let requests = 0;
  const breaking: Handler = (request, response) => {
    if (requests++ > 0) return whole(request, response);
    response.writeHead(200, { 'content-length': BYTES.length });
    response.write(BYTES.subarray(0, 100_000), () => setImmediate(() => response.destroy()));
  };
  await at(breaking, undefined, async (options, server) => {
    assert.ok(BYTES.equals(await download(options)));
    assert.deepEqual(server.ranges[0], '');
    assert.equal(server.ranges.length, 2);
  });
});

test('a transfer that always breaks off is given up, and what came is kept', async () => {
  const cut: Handler = (_, response) => {
    response.writeHead(200, { 'content-length': BYTES.length });
    response.write(BYTES.subarray(0, 50_000), () => setImmediate(() => response.destroy()));
  };
  await at(cut, undefined, async (options, server) => {
    const message = /expected 300000 bytes, got \d+ before the connection broke off$/;
    await assert.rejects(download(options), { code: 'ERR_DOWNLOAD', message });
    assert.equal(server.ranges.length, 3);
    const kept = readFileSync(options.partFile);
    assert.ok(kept.equals(BYTES.subarray(0, kept.length)));
  });
});

test('other bytes of the same length are refused and not kept', async () => {
  const handler: Handler = (request, response) => sendFile(wrong, request, response);
  await at(handler, undefined, async (options, server) => {
    const message = `${server.url}: expected sha256 ${sha256(BYTES)}, got ${sha256(wrong)}`;
    await assert.rejects(download(options), { code: 'ERR_DOWNLOAD', message });
    assert.equal(existsSync(options.partFile), false);
  });
});

test('a page instead of the file is refused by its length', async () => {
  const handler: Handler = (_, response) => void response.writeHead(200, { 'content-length': 9 }).end('<p>Hi</p>');
  await at(handler, undefined, async (options) => {
    const message = /expected a file of 300000 bytes, got 9 bytes$/;
    await assert.rejects(download(options), { code: 'ERR_DOWNLOAD', message });
  });
});

test('a body without a length that does not end is cut off', async () => {
  const endless: Handler = (_, response) => {
    const more = (): void => {
      if (!response.destroyed) response.write(Buffer.alloc(65_536), () => setImmediate(more));
    };
    more();
  };
  await at(endless, undefined, async (options) => {
    await assert.rejects(download(options), { code: 'ERR_DOWNLOAD', message: /expected 300000 bytes, got more$/ });
    assert.equal(existsSync(options.partFile), false);
  });
});

test('a status that is no file names itself', async () => {
  for (const status of [404, 500, 416]) {
    await at(
      (_, response) => void response.writeHead(status).end('no'),
      undefined,
      async (options) => {
        const message = new RegExp(`expected a file of 300000 bytes, got HTTP status ${status}$`);
        await assert.rejects(download(options), { code: 'ERR_DOWNLOAD', message });
      },
    );
  }
});

test('a part file for which the server has no range is dropped', async () => {
  const short: Handler = (request, response) => {
    if (request.headers.range) response.writeHead(416).end();
    else whole(request, response);
  };
  await at(short, BYTES.subarray(0, 10), async (options, server) => {
    assert.ok(BYTES.equals(await download(options)));
    assert.deepEqual(server.ranges, ['bytes=10-', '']);
  });
});

test('a part of the file that was not asked for is refused', async () => {
  const shifted: Handler = (_, response) =>
    void response.writeHead(206, { 'content-range': 'bytes 5-9/300000', 'content-length': 5 }).end('12345');
  await at(shifted, BYTES.subarray(0, 10), async (options) => {
    await assert.rejects(download(options), { code: 'ERR_DOWNLOAD', message: /got HTTP status 206$/ });
    assert.equal(readFileSync(options.partFile).length, 10);
  });
});

test('a redirect is followed', async () => {
  const redirect: Handler = (request, response) => {
    if (request.url === '/elsewhere') whole(request, response);
    else response.writeHead(302, { location: '/elsewhere' }).end();
  };
  await at(redirect, BYTES.subarray(0, 9), async (options, server) => {
    assert.ok(BYTES.equals(await download(options)));
    assert.deepEqual(server.ranges, ['bytes=9-', 'bytes=9-']);
  });
});

test('silence is given up: before the answer, in the middle, and a trickle by the total', async () => {
  await at(
    () => {},
    undefined,
    async (options) => {
      const message = /expected an answer within 50 ms, got a time-out$/;
      await assert.rejects(download({ ...options, idleTimeoutMs: 50 }), { code: 'ERR_DOWNLOAD', message });
    },
  );
  const stalling: Handler = (_, response) => {
    response.writeHead(200, { 'content-length': BYTES.length });
    response.write(BYTES.subarray(0, 1_000));
  };
  await at(stalling, undefined, async (options) => {
    // Where the machine brought nothing in that time: twice the time.
    for (let ms = 50; ; ms *= 2) {
      const work = download({ ...options, idleTimeoutMs: ms });
      await assert.rejects(work, { code: 'ERR_DOWNLOAD', message: new RegExp(`within ${ms} ms, got a time-out$`) });
      const kept = existsSync(options.partFile) ? readFileSync(options.partFile).length : 0;
      if (kept === 0 && ms < 50_000) continue;
      assert.equal(kept, 1_000);
      break;
    }
  });
  const trickling: Handler = (_, response) => {
    response.writeHead(200, { 'content-length': BYTES.length });
    const timer = setInterval(() => response.write('x'), 5);
    response.on('close', () => clearInterval(timer));
  };
  await at(trickling, undefined, async (options) => {
    const work = download({ ...options, idleTimeoutMs: 10_000, totalTimeoutMs: 100 });
    await assert.rejects(work, { code: 'ERR_DOWNLOAD', message: /the whole file within 100 ms, got a time-out$/ });
  });
});

test('an abort signal, before and during, keeps what came', async () => {
  await at(whole, undefined, async (options, server) => {
    await assert.rejects(download({ ...options, signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' });
    assert.deepEqual(server.ranges, []);
  });
  await at(whole, undefined, async (options) => {
    const controller = new AbortController();
    const onProgress: DownloadOptions['onProgress'] = ({ receivedBytes }) => {
      if (receivedBytes > 0) controller.abort();
    };
    const work = download({ ...options, signal: controller.signal, onProgress });
    await assert.rejects(work, { code: 'ERR_ABORTED' });
    assert.ok(readFileSync(options.partFile).length > 0);
    assert.ok(BYTES.equals(await download(options)), 'and the next call brings the rest');
  });
});

test('no server, and a folder that cannot be written', async () => {
  const server = await serve(whole);
  server.close();
  const options = { url: server.url, sizeBytes: 1, sha256: '', partFile: join(root, 'none.part') };
  const message = /expected an answer, got ECONNREFUSED$/;
  await assert.rejects(download(options), { code: 'ERR_DOWNLOAD', message });
  writeFileSync(join(root, 'file'), '');
  const partFile = join(root, 'file', 'x.part');
  await assert.rejects(download({ ...options, partFile }), { code: 'ERR_IO', message: /cannot be written: .*E/ });
});
