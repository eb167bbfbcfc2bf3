/**
 * schemathesis asks what /openapi.json allows and what it forbids, bounded. SHORTLIST_SCHEMATHESIS names the program.
 *
 * Not checked is that every request of the schema is accepted: the features, dimensions and identifiers of the model that
 * is loaded cannot be said in a schema.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const program = process.env.SHORTLIST_SCHEMATHESIS;

test('schemathesis finds nothing', { skip: program ? false : 'SHORTLIST_SCHEMATHESIS is not set' }, async () => {
  const server = await startTiny(await tinyBasePath({ scann: true }));
  const url = `http://127.0.0.1:${server.httpPort}/openapi.json`;
  const bounded = ['--max-examples', '20', '--seed', '1', '--no-color', '--exclude-checks', 'positive_data_acceptance'];
  try {
    const cwd = mkdtempSync(join(tmpdir(), 'shortlist-schemathesis-'));
    const { stdout } = await promisify(execFile)(program!, ['run', url, ...bounded], { cwd, maxBuffer: 1 << 26 }).catch(
      (error: Error & { stdout: string }) => error,
    );
    assert.match(stdout, /No issues found|Failures?: 0|\bpassed\b/i, stdout.slice(-20_000));
    assert.doesNotMatch(stdout, /\d+ failures?\b/, stdout.slice(-20_000));
  } finally {
    await server.close();
  }
});
