/** The curl lines of the README, run as written on the tutorial's bundle. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ShortlistServer } from '@shortlist/server';
import { pino } from 'pino';
import { run } from '../src/run.ts';

const README = fileURLToPath(new URL('../../../../README.md', import.meta.url));
const hasCurl = spawnSync('curl', ['--version']).status === 0;

test('the curl lines of the README get results', { skip: hasCurl ? false : 'curl is not installed' }, async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'shortlist-readme-')), 'movies.shortlist');
  const nobody = { write: (): void => undefined };
  // Without MovieLens the results differ from the printed ones, so that one epoch is enough.
  const data = process.env.SHORTLIST_DATA;
  const argv = ['tutorial', '--copies', '0', '--save', path, ...(data ? [] : ['--epochs', '1'])];
  const code = await run(argv, {
    stdout: nobody,
    stderr: nobody,
    variables: {
      ...(data ? { SHORTLIST_DATA: data } : {}),
      SHORTLIST_OFFLINE: '1',
      HOME: tmpdir(),
      XDG_CACHE_HOME: tmpdir(),
    },
    now: () => performance.now(),
    signal: new AbortController().signal,
  });
  assert.equal(code, 0);
  const logger = pino({ level: 'silent' });
  const server = await ShortlistServer.start({
    models: [{ name: 'movies', path }],
    httpPort: 0,
    grpcPort: null,
    logger,
  });
  const readme = readFileSync(README, 'utf8');
  const lines = readme.match(/^curl .*$/gm) ?? [];
  const printed = JSON.parse(/^```json\n(\{"model".*\})\n```$/m.exec(readme)![1]!) as { results: unknown[] };
  assert.ok(lines.length >= 5);
  // The lines are run as written; curl's settings map port 8501 to the port of the test.
  const CURL_HOME = mkdtempSync(join(tmpdir(), 'shortlist-curl-'));
  const connect = `connect-to = "127.0.0.1:8501:127.0.0.1:${server.httpPort}"`;
  writeFileSync(join(CURL_HOME, '.curlrc'), `silent\nfail\nnoproxy = "*"\n${connect}\n`);
  for (const line of lines) {
    const { stdout } = await promisify(execFile)('sh', ['-c', line], { env: { ...process.env, CURL_HOME } });
    const answer = JSON.parse(stdout) as { results?: unknown[]; predictions?: unknown[]; outputs?: unknown[] };
    if (line.includes('predict')) assert.equal(answer.predictions?.length, 1);
    if (line.includes('/v1/shortlist')) {
      assert.deepEqual(Object.keys(answer), Object.keys(printed));
      assert.equal(answer.results?.length, 3);
      if (data) assert.deepEqual(answer.results, printed.results);
    }
    if (line.includes('infer')) assert.equal(answer.outputs?.length, 2);
  }
  await server.close();
});
