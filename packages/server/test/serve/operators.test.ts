/**
 * Output for operators: no absolute path in status and metrics, a warning if everybody may change a server, the recall
 * of exact indexes.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { withoutPaths } from '../../src/status/without-paths.ts';
import { fetchUnpooled, post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

test('status, repository and metrics show no absolute path', async () => {
  const basePath = await tinyBasePath();
  for (const [version, write] of [
    [2, (folder: string) => writeFileSync(join(folder, 'x.shortlist'), 'no bundle')],
    [3, () => undefined],
    [4, (folder: string) => mkdirSync(join(folder, 'model.shortlist'))],
  ] as const) {
    mkdirSync(join(basePath, String(version)));
    write(join(basePath, String(version)));
  }
  const server = await startTiny(basePath, { models: [{ name: 'films', path: basePath, policy: { all: true } }] });
  const paths = ['/admin/models/films', '/v1/models/films', '/metrics'];
  for (const path of paths) {
    const text = await (await fetchUnpooled(`http://127.0.0.1:${server.httpPort}${path}`)).text();
    assert.ok(!text.includes(basePath), `${path} ${text}`);
    assert.ok(!/[\s"'(]\/(tmp|home|var|Users|private)\//.test(text), `${path} ${text}`);
  }
  const index = await post(server, '/v2/repository/index', {});
  const entries = index.body as { reason?: string; state: string }[];
  assert.equal(entries.filter(({ state }) => state === 'UNAVAILABLE').length, 3);
  assert.ok(!JSON.stringify(entries).includes(basename(basePath)), JSON.stringify(entries));
  await server.close();
});

test('paths in messages', () => {
  const CASES: readonly [string, string, string][] = [
    ['/models/a b/3: expected one file', '/models/a b/3', '3: expected one file'],
    ["ENOENT: no such file or directory, open '/srv/x/y.bin'", '', "ENOENT: no such file or directory, open 'y.bin'"],
    ['C:\\models\\films\\1\\m.shortlist: damaged', '', 'm.shortlist: damaged'],
    ['read and/or write: 1/2', '', 'read and/or write: 1/2'],
    ['GET /v1: expected', '', 'GET /v1: expected'],
  ];
  for (const [message, path, expected] of CASES) assert.equal(withoutPaths(message, path), expected);
});

test('a server that others reach without keys warns, unless that is meant', async () => {
  const warned = async (options: object): Promise<boolean> => {
    const lines: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });
    const server = await startTiny(await tinyBasePath(), { logger, ...options });
    await server.close();
    return lines.some((line) => line.includes('NO API KEYS'));
  };
  const keys = [{ name: 'x', sha256: '0'.repeat(64), role: 'read' }];
  assert.equal(await warned({ host: '0.0.0.0' }), true);
  assert.equal(await warned({ host: '0.0.0.0', insecure: true }), false);
  assert.equal(await warned({ host: '0.0.0.0', keys }), false);
  assert.equal(await warned({}), false);
  assert.equal(await warned({ host: 'localhost' }), false);
});

test('a host that cannot be resolved, or holds a NUL, is refused by name', async () => {
  for (const host of ['no-such-host.invalid', 'a\0b', '']) {
    await assert.rejects(startTiny(await tinyBasePath(), { host }), { code: 'ERR_OPTION', message: /^host: expected/ });
  }
});

test('an exact index has a live recall of 1', async () => {
  for (const [scann, canaryShare, expected] of [
    [false, 0.001, '1'],
    [true, 0.001, undefined],
    [false, 0, undefined],
  ] as const) {
    const server = await startTiny(await tinyBasePath({ scann }), { canaryShare });
    const text = await server.metrics.registry.metrics();
    assert.equal(/^shortlist_canary_recall\{model_name="films"\} (.*)$/m.exec(text)?.[1], expected);
    await server.close();
  }
});
