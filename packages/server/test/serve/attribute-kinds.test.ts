/** Two kinds for one new attribute: refused when they come together, and left out where an older server took them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { encodeHead, encodeRecord } from '../../src/journal/record.ts';
import type { Update } from '../../src/servable/contract.ts';
import { fetchUnpooled, post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

type Server = Awaited<ReturnType<typeof startTiny>>;
type Attributes = Readonly<Record<string, string | number>>;

const embedding = [1, 0, 0, 0];
const upsert = async (server: Server, candidates: Readonly<Record<string, Attributes>>): Promise<number> => {
  const listed = Object.entries(candidates).map(([id, attributes]) => ({ id, embedding, attributes }));
  return (await post(server, '/v1/candidates/upsert', { candidates: listed })).status;
};
/** Attribute x of candidates that are there. */
const shown = async (server: Server, include: readonly string[]): Promise<unknown> => {
  const { body } = await post(server, '/v1/shortlist', { embedding, k: 10, include });
  return Object.fromEntries((body as { results: { id: string; x?: unknown }[] }).results.map(({ id, x }) => [id, x]));
};

test('of two kinds in one request none is applied, of two requests at once one is', async () => {
  const basePath = await tinyBasePath();
  const server = await startTiny(basePath);
  assert.equal(await upsert(server, { a: { x: 'one' }, b: { x: 1 } }), 400);
  assert.deepEqual(await shown(server, ['a', 'b']), {});
  const statuses = await Promise.all([upsert(server, { a: { x: 'one' } }), upsert(server, { b: { x: 1 } })]);
  assert.deepEqual(statuses.sort(), [200, 400]);
  const before = await shown(server, ['a', 'b']);
  await server.close();
  const again = await startTiny(basePath);
  assert.deepEqual(await shown(again, ['a', 'b']), before);
  assert.equal(again.registry.models[0]!.newest!.journal!.recovery.misfits, 0);
  await again.close();
});

test('a journal with two kinds loads in every process, says what was left out, and has all else', async () => {
  const record = (identifier: string, attributes: Attributes): Update => ({
    kind: 'upsert',
    identifier,
    embedding: Float32Array.from(embedding),
    attributes,
  });
  const updates = [record('a', { x: 'one' }), record('b', { x: 1 }), record('c', { x: 'two' }), record('d', { x: 2 })];
  const basePath = await tinyBasePath();
  const records = updates.map((update, i) => encodeRecord({ sequence: i + 1, update }));
  writeFileSync(join(basePath, '1', 'updates.journal'), Buffer.concat([encodeHead(), ...records]));
  const lines: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });
  const server = await startTiny(basePath, { processes: 2, logger });
  for (let process = 0; process < 2; process++) {
    assert.deepEqual(await shown(server, ['a', 'b', 'c', 'd']), { a: 'one', b: undefined, c: 'two', d: undefined });
  }
  const misfit = 'attributes.x: expected text, got 1';
  const warned = lines.map((line) => JSON.parse(line) as { msg: string; misfits: number; misfit: string });
  assert.deepEqual(
    warned.map(({ msg, misfits, misfit }) => [msg, misfits, misfit]),
    [['attributes in the journal do not fit their columns and were left out', 2, misfit]],
  );
  const state = await fetchUnpooled(`http://127.0.0.1:${server.httpPort}/admin/models/films`);
  const { versions } = (await state.json()) as { versions: { journal: { sizeBytes: number } }[] };
  const { sizeBytes: _, ...recovery } = versions[0]!.journal;
  assert.deepEqual(recovery, { records: 4, misfits: 2, misfit, bytesCut: 0 });
  assert.equal(await upsert(server, { b: { x: 'three' } }), 200);
  for (let process = 0; process < 2; process++) assert.deepEqual(await shown(server, ['b']), { b: 'three' });
  await server.close();
});
