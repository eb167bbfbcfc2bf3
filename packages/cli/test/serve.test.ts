/** `shortlist serve` as a process: serves queries, then drains on SIGTERM. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BruteForce, Tower } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import { run } from '../src/run.ts';
import { serveOptions } from '../src/serve/command.ts';
import { UsageError } from '../src/terminal/command.ts';

// The file that node_modules/.bin/shortlist links to.
const BIN = fileURLToPath(new URL('../../bin/shortlist.js', import.meta.url));

/** A bundle of two films. */
async function saveFilms(): Promise<string> {
  const path = join(mkdtempSync(join(tmpdir(), 'shortlist-cli-')), 'films.shortlist');
  const queryModel = Tower.create({ vocabulary: ['42'], dimensions: 2 });
  const vectors = [
    [1, 0],
    [0, 1],
  ];
  const index = new BruteForce<string, string>({ queryModel }).index(vectors, ['a', 'b']);
  await saveBundle(path, { index });
  return path;
}

test('a bundle file is served under its name until SIGTERM', async () => {
  const path = await saveFilms();
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
  // `exit` may come before the end of the log.
  const [code, signal] = await once(child, 'close');
  assert.deepEqual([code, signal], [0, null], log);
  assert.match(log, /"msg":"stopped"/);
});

test('a server whose output was closed still ends', async () => {
  const child = spawn(process.execPath, [BIN, 'serve', await saveFilms(), '--http-port', '0', '--grpc-port', 'none'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  child.stderr.destroy();
  assert.deepEqual(await once(child, 'exit'), [141, null]);
});

test('a bundle that cannot be served is an error of one line', async () => {
  const failed = async (...argv: string[]): Promise<[number, string]> => {
    const parts: string[] = [];
    const code = await run(['serve', ...argv, '--log-level', 'silent'], {
      stdout: { write: () => undefined },
      stderr: { write: (part: string) => parts.push(part) },
      variables: {},
      now: () => performance.now(),
      signal: AbortSignal.abort(),
    });
    return [code, parts.join('')];
  };
  const path = await saveFilms();
  const missing = '/nowhere/films.shortlist';
  assert.deepEqual(await failed(missing), [
    1,
    `shortlist: ${missing}: expected a bundle or a folder, got a path that does not exist (ERR_IO)\n`,
  ]);
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const port = String((taken.address() as AddressInfo).port);
  for (const ports of [
    ['--http-port', port, '--grpc-port', 'none'],
    ['--http-port', '0', '--grpc-port', port],
  ]) {
    const [code, text] = await failed(path, ...ports);
    assert.equal(code, 1);
    assert.match(text, /^shortlist: cannot listen: .*EADDRINUSE.* \(ERR_IO\)\n$/);
  }
  taken.close();
  // A file that is not a bundle must end the command.
  const other = join(path, '..', 'other.shortlist');
  const cut = join(path, '..', 'cut.shortlist');
  writeFileSync(other, 'hello');
  writeFileSync(cut, readFileSync(path).subarray(0, 200));
  for (const file of [other, cut, '/dev/null']) {
    const [code, text] = await failed(`m=${file}`, '--http-port', '0', '--grpc-port', 'none');
    assert.equal(code, 1);
    assert.ok(text.startsWith(`shortlist: ${file}: expected a bundle: `), text);
    assert.equal(text.split('\n').length, 2, text);
  }
  for (const [option, values] of [
    ['--journal-damage', 'replay or refuse'],
    ['--when-locked', 'serve or wait'],
  ] as const) {
    const [code, text] = await failed(path, option, 'maybe');
    assert.equal(code, 2, text);
    assert.match(text, new RegExp(`${option}: expected ${values}, got "maybe"`));
  }
  const keys = join(path, '..', 'keys.json');
  writeFileSync(keys, '{"name": "site"}');
  assert.match((await failed(path, '--keys', keys))[1], /^shortlist: --keys: .*expected a list of keys/);
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
    ['x', '--log-level', 'loud'],
    ['x', '/y/x.shortlist'],
  ]) {
    assert.throws(() => serveOptions(argv), UsageError);
  }
});
