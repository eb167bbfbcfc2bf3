/** The request that docs/serving.md prints is one the server takes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const DOCUMENT = new URL('../../../../../docs/serving.md', import.meta.url);

test('the plain JSON request of docs/serving.md, as written', async () => {
  const [, body] = /## Plain JSON\n\n```json\n([^`]*)```/.exec(readFileSync(DOCUMENT, 'utf8'))!;
  const server = await startTiny(await tinyBasePath());
  const { status, body: answer } = await post(server, '/v1/shortlist', body!);
  // 504 where the machine was too busy for the milliseconds the request gives it.
  assert.ok(status === 200 || status === 504, JSON.stringify(answer));
  await server.close();
});
