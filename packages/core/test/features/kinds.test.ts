/** The cases of every kind of feature: learning, encoding, refused values, missing values, saving and loading. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FeatureError, FormatError } from '../../src/errors/errors.ts';
import { FeatureSet, type RawColumns } from '../../src/features/feature-set.ts';
import { learnFeatures } from '../../src/features/learn-features.ts';
import type { FeatureSpec } from '../../src/features/spec.ts';
import { loadPart, readSaved } from '../../src/format/part.ts';
import { containerSections } from '../../src/format/saved.ts';
import type { Json, JsonObject } from '../../src/format/settings.ts';
import { bytesSource } from '../../src/format/source.ts';
import { containerOf, mendChecksums, runtime } from '../format/containers.ts';
import { assertRows, assertSound, rowsOf, weightsOf } from './columns.ts';
import { KIND_CASES, type KindCase } from './kinds.ts';

function columnsOf({ spec, values, beside }: KindCase): RawColumns {
  const second = 'weights' in spec ? spec.weights : 'now' in spec ? spec.now : undefined;
  return second === undefined ? { x: values } : { x: values, [second]: beside! };
}
const own = (spec: FeatureSpec): FeatureSpec => ({ ...spec, missing: 'own' });
const saved = (set: FeatureSet): Uint8Array => containerOf(containerSections(set.save()));
const loaded = (bytes: Uint8Array): Promise<FeatureSet> =>
  readSaved(bytesSource(bytes), (root) => loadPart(root, { features: FeatureSet.load }), runtime);

/** A value with each of its leaves, one at a time, replaced by each of some values. */
function* forgeries(value: Json): Generator<Json> {
  if (typeof value !== 'object' || value === null) {
    for (const other of [-1, 1e300, 'x', []]) yield other;
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    for (const other of forgeries(item)) {
      yield Array.isArray(value) ? value.with(Number(key), other) : { ...value, [key]: other };
    }
  }
}

for (const each of KIND_CASES) {
  const { name, spec, values, refused, expected, weights, expectedOwn } = each;
  const columns = columnsOf(each);

  test(`${name}: learns and encodes`, async () => {
    const set = await learnFeatures({ x: spec }, [columns]);
    const [column] = set.encodeColumns(columns);
    assertSound(set.get('x'), column!, values.length);
    assertRows(rowsOf(column!), expected);
    if (weights) assert.deepEqual(weightsOf(column!), weights);
    const rows = values.map((_, i) => Object.fromEntries(Object.entries(columns).map(([key, list]) => [key, list[i]])));
    assert.deepEqual(set.encode(rows), [column]);
    if (!each.beside) assert.deepEqual(set.encode(values), [column], 'a row that is the value itself');
    const [none] = set.encode([]);
    assertSound(set.get('x'), none!, 0);
  });

  test(`${name}: batches of one row teach the same as one batch`, async () => {
    async function* batches(): AsyncGenerator<RawColumns> {
      for (let i = 0; i < values.length; i++) {
        yield Object.fromEntries(Object.entries(columns).map(([key, list]) => [key, [list[i]]]));
      }
    }
    const set = await learnFeatures({ x: spec }, batches());
    assertRows(rowsOf(set.encodeColumns(columns)[0]!), expected);
  });

  test(`${name}: a value that does not fit is refused with its row, learned or encoded`, async () => {
    const set = await learnFeatures({ x: spec }, [columns]);
    for (const [value, words] of refused) {
      const column = [values[0], value];
      const row = (error: unknown): boolean =>
        error instanceof FeatureError &&
        /^features: x in row 1: /.test(error.message) &&
        words.test(error.message) &&
        error.mismatches[0]!.row === 1;
      const rest = Object.fromEntries(Object.entries(columns).map(([key, list]) => [key, [list[0], list[1]]]));
      assert.throws(() => set.encodeColumns({ ...rest, x: column }), row);
      await assert.rejects(() => learnFeatures({ x: spec }, [{ ...rest, x: column }]), row);
    }
  });

  test(`${name}: a missing value has its own place where the spec says so`, async () => {
    const withMissing = { ...columns, x: [undefined, null, ...values] };
    for (const key of Object.keys(columns)) {
      if (key !== 'x') Object.assign(withMissing, { [key]: [undefined, null, ...Array.from(columns[key]!)] });
    }
    const set = await learnFeatures({ x: own(spec) }, [withMissing]);
    const column = set.encodeColumns(withMissing)[0]!;
    assertSound(set.get('x'), column, values.length + 2);
    assertRows(rowsOf(column).slice(0, 3), [expectedOwn[0], ...expectedOwn]);
    const [fromRow] = set.encode([{}]);
    assertRows(rowsOf(fromRow!), [expectedOwn[0]]);
  });

  test(`${name}: saved and loaded it is the same to the last bit`, async () => {
    for (const used of [spec, own(spec)]) {
      const set = await learnFeatures({ x: used }, [columns]);
      const bytes = saved(set);
      const again = await loaded(bytes);
      assert.deepEqual(saved(again), bytes);
      assert.deepEqual(again.encodeColumns(columns), set.encodeColumns(columns));
      assert.deepEqual(again.get('x').spec, used);
    }
  });
}

test('settings that were forged are one FormatError, or features that work', async () => {
  const specs = Object.fromEntries(KIND_CASES.map(({ name, spec }) => [name, { ...spec, field: name }]));
  const saved = await learnFeatures(
    specs,
    KIND_CASES.map((each) => ({ ...columnsOf(each), [each.name]: each.values })),
  ).then((set) => set.save());
  let refused = 0;
  for (const settings of forgeries(saved.settings)) {
    const what = JSON.stringify(settings);
    try {
      const set = await loaded(containerOf(containerSections({ ...saved, settings: settings as JsonObject })));
      for (const feature of set.features) {
        const { values, beside } = KIND_CASES.find(({ name }) => name === feature.name) ?? KIND_CASES[0]!;
        try {
          feature.encode(values, { beside });
        } catch (error) {
          assert.ok(error instanceof FeatureError, `${what}: ${(error as Error).stack}`);
        }
      }
    } catch (error) {
      refused++;
      assert.ok(error instanceof FormatError, `${what}: ${(error as Error).stack}`);
    }
  }
  assert.ok(refused > 100, `${refused} were refused`);
});

test('damaged bytes are refused', async () => {
  const set = await learnFeatures({ x: { type: 'string' } }, [{ x: ['a', 'b', 'c'] }]);
  const bytes = saved(set);
  for (let at = 64; at < bytes.length; at += 13) {
    const damaged = mendChecksums(bytes.with(at, bytes[at]! ^ 0x55));
    try {
      (await loaded(damaged)).encode(['a', 'b']);
    } catch (error) {
      assert.ok(error instanceof FormatError, (error as Error).stack);
    }
  }
});
