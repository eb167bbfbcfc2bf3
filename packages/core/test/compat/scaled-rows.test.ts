/**
 * Bundles whose int8 rows have no factors can always be loaded and give the results that they gave; updates keep their format, and
 * a rebalance gives the rows factors. scaled-rows/make.ts made them.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import type { ScaNN } from '../../src/topk/scann/scann.ts';
import { answersOf } from './answers.ts';

/** Beside the sources: the build holds only compiled files. */
const FOLDER = fileURLToPath(new URL('../../../test/compat/scaled-rows', import.meta.url));
const EXPECTED = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')) as Record<string, unknown>;
const runtime = new Runtime({ threads: 1 });

for (const [name, expected] of Object.entries(EXPECTED)) {
  test(`int8 rows without factors: ${name}`, async () => {
    const bytes = readFileSync(join(FOLDER, name));
    assert.deepEqual(await answersOf(bytes), expected);
    const { index } = await bundleFromBytes<Float32Array, number>(bytes, { runtime });
    const scann = index as ScaNN<Float32Array, number>;
    const row = Float32Array.of(0.3, -0.2, 0.1, 0, 0.4);
    scann.upsert([30], [row]);
    const places = (): number => scann.parts().rows!.length;
    assert.equal(places() % 8, 0, 'rows of 5 dimensions have 8 bytes');
    const again = await bundleFromBytes<Float32Array, number>(bundleToBytes({ index: scann }), { runtime });
    for (const each of [scann, again.index as ScaNN<Float32Array, number>]) {
      const { data, precision } = each.candidateVectors([30]);
      assert.equal(precision, 'int8');
      data.forEach((x, t) => {
        assert.ok(Math.abs(x - row[t]!) < 0.02, `${x}`);
      });
    }
    const before = scann.parts().rows!.length / 8;
    await scann.rebalance();
    assert.ok(before > 0 && scann.parts().rows!.length % 12 === 0, 'rows with a factor have 12 bytes');
    scann.free();
  });
}
