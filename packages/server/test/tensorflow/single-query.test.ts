/**
 * The short path of a single query: the bodies that take it, and results equal to those of the general reader byte for
 * byte.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { answerRest } from '../../src/tensorflow/rest.ts';
import { parseRestPath } from '../../src/tensorflow/rest-path.ts';
import { singleQuery } from '../../src/tensorflow/single-query.ts';
import { tinyRegistry } from '../fixtures/tiny-registry.ts';
import { TinyServable } from '../fixtures/tiny-servable.ts';

const limits = { queries: 100, k: 100 };
const call = parseRestPath('POST', '/v1/models/tiny:predict');

async function servedBy(make: () => TinyServable): Promise<Awaited<ReturnType<typeof tinyRegistry>>['registry']> {
  return (await tinyRegistry([1], { make })).registry;
}

test('the plain form is taken, and nothing else', async () => {
  const registry = await servedBy(() => new TinyServable());
  const served = registry.choose('tiny', {});
  const feature = (body: string, bounds = limits): unknown => singleQuery(served, body, bounds)?.features;
  assert.equal(feature('{"instances":["42"]}'), '42');
  assert.equal(feature(' {\r\n\t"instances" : [ "a b [é]" ] } and more'), 'a b [é]');
  assert.equal(feature('{"instances":[""]}'), '');
  for (const body of [
    '',
    '{"instances":["a","b"]}',
    '{"instances":[42]}',
    '{"instances":["a\\n"]}',
    '{"instances":["a\n"]}',
    '{"instances":["a"],"signature_name":"embed"}',
    '{"signature_name":"embed","instances":["a"]}',
    '{"inputs":["a"]}',
    '{"instances":[["a"]]}',
    '{"instances":["a"]',
    '{"instances":\u00a0["a"]}',
    `{"instances":["${'a'.repeat(300)}"]}`,
  ]) {
    assert.equal(feature(body), undefined, body);
  }
  assert.equal(feature('{"instances":["42"]}', { queries: 0, k: 100 }), undefined);
  assert.equal(feature('{"instances":["42"]}', { queries: 1, k: 1 }), undefined);
});

test('a servable of several features, or of numbers, goes the general way', async () => {
  for (const features of [
    [{ name: 'user_id', datatype: 'INT64', shape: [] }],
    [{ name: 'user_id', datatype: 'BYTES', shape: [-1] }],
    [
      { name: 'user_id', datatype: 'BYTES', shape: [] },
      { name: 'country', datatype: 'BYTES', shape: [] },
    ],
    [],
  ] as TinyServable['features'][]) {
    const registry = await servedBy(() => Object.assign(new TinyServable(), { features }));
    assert.equal(singleQuery(registry.choose('tiny', {}), '{"instances":["42"]}', limits), undefined);
  }
});

test('both ways give the same bytes, whatever candidates are called', async () => {
  const identifier = fc.oneof(fc.string(), fc.constantFrom('Titanic (1997)', 'é', '"', '\\', 'a\nb', '😀'));
  const numbers = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const score = fc.float({ noNaN: true, noDefaultInfinity: true });
  const lists = fc.oneof(
    fc.array(fc.tuple(identifier, score, score), { minLength: 1, maxLength: 12 }),
    fc.array(fc.tuple(numbers, score, score), { minLength: 1, maxLength: 12 }),
  );
  await fc.assert(
    fc.asyncProperty(
      lists,
      fc.integer({ min: 1, max: 15 }),
      fc.constantFrom('42', '7'),
      async (candidates, k, user) => {
        const registry = await servedBy(() => {
          const servable = new TinyServable(candidates as never);
          servable.identifierDatatype = typeof candidates[0]![0] === 'string' ? 'BYTES' : 'INT64';
          servable.k = k;
          return servable;
        });
        const short = await answerRest(registry, call, JSON.stringify({ instances: [user] }), { limits });
        const general = await answerRest(
          registry,
          call,
          JSON.stringify({ signature_name: 'serving_default', instances: [user] }),
          { limits },
        );
        assert.equal(short, general);
      },
    ),
    { numRuns: 200 },
  );
});
