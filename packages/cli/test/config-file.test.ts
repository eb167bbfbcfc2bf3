/** The configuration file of `serve`, and `restore`: accepted options, options that the command line overrides, errors. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BruteForce } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import { run } from '../src/run.ts';
import { serveOptions } from '../src/serve/command.ts';

const DEPLOY = fileURLToPath(new URL('../../../../deploy/', import.meta.url));

function fileOf(config: unknown): string {
  const path = join(mkdtempSync(join(tmpdir(), 'shortlist-config-')), 'serve.json');
  writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config));
  return path;
}

test('every option can be set in the file, and the command line overrides it', () => {
  const path = fileOf({
    models: [{ name: 'a', path: 'models/a', labels: { stable: 2 }, policy: { specific: [2] } }],
    host: '10.0.0.1',
    httpPort: 1,
    grpcPort: null,
    limits: { k: 5, queries: 6 },
    queue: { waitMs: 3 },
    tls: { cert: 'c.pem', key: '/k.pem' },
    corsOrigins: ['https://x.example'],
    fsync: 'always',
    journalDamage: 'refuse',
    whenLocked: 'wait',
    keepVersions: 4,
    rows: 'file',
    rowCacheBytes: 0,
    logLevel: 'silent',
  });
  const { models, tls, logger, ...options } = serveOptions(['--config', path]);
  assert.deepEqual(models, [
    { name: 'a', path: join(path, '../models/a'), labels: { stable: 2 }, policy: { specific: [2] } },
  ]);
  assert.deepEqual(tls, { cert: join(path, '../c.pem'), key: '/k.pem' });
  assert.equal(logger!.level, 'silent');
  assert.deepEqual(options, {
    host: '10.0.0.1',
    httpPort: 1,
    grpcPort: null,
    limits: { k: 5, queries: 6 },
    queue: { waitMs: 3 },
    corsOrigins: ['https://x.example'],
    fsync: 'always',
    journalDamage: 'refuse',
    whenLocked: 'wait',
    keepVersions: 4,
    rows: 'file',
    rowCacheBytes: 0,
  });
  const argv = ['b=/b', '--config', path, '--max-k', '7', '--host', '::1', '--grpc-port', '9', '--policy', 'all'];
  const other = serveOptions([...argv, '--cors', 'https://y.example,https://z.example', '--log-level', 'error']);
  assert.deepEqual(other.models, [{ name: 'b', path: '/b', policy: { all: true } }]);
  assert.deepEqual([other.limits, other.host, other.grpcPort], [{ k: 7, queries: 6 }, '::1', 9]);
  const rows = serveOptions(['b=/b', '--rows', 'file', '--row-cache-bytes', '4096']);
  assert.deepEqual([rows.rows, rows.rowCacheBytes], ['file', 4096]);
  assert.throws(() => serveOptions(['b=/b', '--rows', 'disk']), /--rows: expected memory or file, got "disk"/);
  assert.deepEqual([other.corsOrigins, other.logger!.level], [['https://y.example', 'https://z.example'], 'error']);
});

test('wrong names and values in a file are refused with their place', () => {
  for (const [config, message] of [
    ['{', /expected JSON/],
    [[], /expected an object/],
    [{ modles: [] }, /unknown name "modles", did you mean "models"\?/],
    [{ xyz: 1 }, /unknown name "xyz", expected one of models, /],
    [{ models: [{ name: 'a' }] }, /models\[0\]: expected path/],
    [{ models: [{ name: 'a', path: 'b', policy: { newest: 1 } }] }, /models\[0\]\.policy: /],
    [{ host: 5 }, /host: expected text, got 5/],
    [{ httpPort: 70_000 }, /httpPort: expected a port/],
    [{ limits: { kk: 1 } }, /limits: unknown name "kk", did you mean "k"\?/],
    [{ queue: { waitMs: '1' } }, /queue\.waitMs: expected a whole number/],
    [{ fsync: 10 }, /fsync: expected an object/],
    [{ journalDamage: 'ignore' }, /journalDamage: expected replay or refuse, got "ignore"/],
    [{ whenLocked: true }, /whenLocked: expected serve or wait, got true/],
    [{ canaryShare: 2 }, /canaryShare: expected a number from 0 to 1/],
    [{ insecure: 'no' }, /insecure: expected true or false/],
    [{ toString: 1 }, /unknown name "toString"/],
  ] as const) {
    assert.throws(() => serveOptions(['x', '--config', fileOf(config)]), { code: 'ERR_DATA', message });
  }
  assert.throws(() => serveOptions(['x', '--config', '/nowhere.json']), { code: 'ERR_IO' });
});

test('the files of deploy/ name existing options', () => {
  const { models, keepVersions } = serveOptions(['--config', join(DEPLOY, 'serve.json')]);
  assert.deepEqual([models[0]!.path, keepVersions], ['/var/lib/shortlist/movies', 3]);
  const entry = /^ENTRYPOINT (\[.*\])$/m.exec(readFileSync(join(DEPLOY, 'Dockerfile'), 'utf8'))![1]!;
  const [, , command, ...argv] = JSON.parse(entry) as string[];
  assert.equal(command, 'serve');
  assert.equal(serveOptions([...argv, 'movies=/models/movies']).host, '0.0.0.0');
  const unit = readFileSync(join(DEPLOY, 'shortlist.service'), 'utf8');
  assert.match(unit, /^ExecStart=\/usr\/bin\/node \S+shortlist\.js serve --config \S+$/m);
});

test('.dockerignore leaves out exactly the files that a build makes', () => {
  const root = fileURLToPath(new URL('../../../../', import.meta.url));
  const patterns = readFileSync(join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const name = line.replaceAll('.', '\\.').replaceAll('**/', '<any>').replaceAll('*', '[^/]*');
      return new RegExp(`^${name.replaceAll('<any>', '(.*/)?')}(/|$)`);
    });
  const isIgnored = (path: string): boolean => patterns.some((pattern) => pattern.test(path));
  assert.deepEqual(['packages/core/build/src/index.js', 'node_modules/x', '.git/HEAD'].map(isIgnored), [
    true,
    true,
    true,
  ]);
  const folders = ['core', 'data', 'server', 'cli'].map((name) => join('packages', name));
  const sources = folders.flatMap((folder) =>
    ['src', 'assembly', 'protos', 'bin'].flatMap((part) =>
      existsSync(join(root, folder, part))
        ? readdirSync(join(root, folder, part), { recursive: true }).map((path) => join(folder, part, String(path)))
        : [],
    ),
  );
  assert.ok(sources.length > 300);
  const left = sources.filter((path) => isIgnored(path) && !path.endsWith('.generated.ts'));
  assert.deepEqual(left, []);
});

test('restore adds a bundle as the newest version; a file that is not a bundle changes nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-restore-'));
  const bundle = join(folder, 'x.shortlist');
  await saveBundle(bundle, { index: new BruteForce<never, string>().index([[1, 0]], ['a']) } as never);
  const output: string[] = [];
  const restore = (...argv: string[]): Promise<number> =>
    run(['restore', ...argv], {
      stdout: { write: (part: string) => output.push(part) },
      stderr: { write: (part: string) => output.push(part) },
      variables: {},
      now: () => 0,
      signal: new AbortController().signal,
    } as never);
  const versions = join(folder, 'versions');
  for (const expected of ['1', '1,2']) {
    assert.equal(await restore(bundle, versions), 0);
    assert.equal(readdirSync(versions).sort().join(), expected);
  }
  assert.match(output[1]!, /x\.shortlist is version 2 of /);
  assert.deepEqual(readFileSync(join(versions, '2', 'model.shortlist')), readFileSync(bundle));
  mkdirSync(join(versions, '41'));
  assert.equal(await restore(bundle, versions), 0);
  assert.ok(readdirSync(versions).includes('42'));
  writeFileSync(join(folder, 'no.shortlist'), 'nothing');
  assert.equal(await restore(join(folder, 'no.shortlist'), versions), 1);
  assert.equal(await restore(bundle), 2);
  assert.equal(readdirSync(versions).length, 4);
});
