/** `shortlist serve` as a process: answers, then drains on SIGTERM. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BruteForce, Tower } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import { serveOptions } from '../src/serve/command.ts';
import { UsageError } from '../src/terminal/command.ts';

const BIN = fileURLToPath(new URL('../src/bin.js', import.meta.url));

test('a bundle file is served under its name until SIGTERM', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'shortlist-cli-')), 'films.shortlist');
  const queryModel = Tower.create({ vocabulary: ['42'], dimensions: 2 });
  const index = new BruteForce<string, string>({ queryModel }).index(
    [
      [1, 0],
      [0, 1],
    ],
    ['a', 'b'],
  );
  await saveBundle(path, { index });
  const child = spawn(process.execPath, [BIN, 'serve', path, '--http-port', '0', '--grpc-port', 'none'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk) => (log += chunk));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = /^Serving HTTP on port (\d+)\n$/.exec(line.toString())?.[1];
  assert.ok(port, line.toString() + log);
  const answer = await fetch(`http://127.0.0.1:${port}/v1/models/films:predict`, {
    method: 'POST',
    body: '{"instances": ["42"]}',
  });
  const { predictions } = (await answer.json()) as { predictions: { identifiers: string[] }[] };
  assert.deepEqual([...predictions[0]!.identifiers].sort(), ['a', 'b']);
  child.kill('SIGTERM');
  const [code, signal] = await once(child, 'exit');
  assert.deepEqual([code, signal], [0, null], log);
  assert.match(log, /"msg":"stopped"/);
});

test('arguments', () => {
  const { models, grpcPort, fsync } = serveOptions([
    '/x/films.shortlist',
    'b=/y/base/',
    '--grpc-port',
    'none',
    '--fsync',
    'always',
  ]);
  assert.deepEqual(
    models.map(({ name, path }) => [name, path]),
    [
      ['films', '/x/films.shortlist'],
      ['b', '/y/base/'],
    ],
  );
  assert.equal(grpcPort, null);
  assert.equal(fsync, 'always');
  assert.deepEqual(serveOptions(['x', '--policy', '3,4']).models[0]!.policy, { specific: [3, 4] });
  for (const argv of [
    [],
    ['x', '--policy', 'newest'],
    ['x', '--http-port', 'y'],
    ['x', '--tls-cert', 'c'],
    ['x', '--canary', '2'],
  ]) {
    assert.throws(() => serveOptions(argv), UsageError);
  }
});
