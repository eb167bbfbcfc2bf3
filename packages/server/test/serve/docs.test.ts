/** The server accepts the requests that docs/serving.md prints. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { ShortlistServer } from '../../src/index.ts';
import { post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const DOCUMENT = readFileSync(new URL('../../../../../docs/serving.md', import.meta.url), 'utf8');

/** The blocks of JSON below a heading. */
function blocksOf(heading: string): string[] {
  const [, section] = new RegExp(`\n## ${heading}\n([^]*?)\n## `).exec(DOCUMENT)!;
  return [...section!.matchAll(/```json\n([^`]*)```/g)].map(([, body]) => body!);
}

let server: ShortlistServer;
before(async () => {
  server = await startTiny(await tinyBasePath());
});
after(() => server.close());

test('the plain JSON request of docs/serving.md, as written', async () => {
  const { status, body: answer } = await post(server, '/v1/shortlist', blocksOf('Plain JSON')[0]!);
  // 504 where the machine was too busy for the milliseconds the request gives it.
  assert.ok(status === 200 || status === 504, JSON.stringify(answer));
});

test('the rules of docs/serving.md, in plain JSON and in a tensor, as written', async () => {
  const [plain, tensor] = blocksOf('Rules');
  for (const [path, body] of [
    ['/v1/shortlist', plain!],
    ['/v1/models/films:predict', tensor!],
  ] as const) {
    const answer = await post(server, path, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  }
});
