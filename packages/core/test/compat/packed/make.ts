/**
 * Made the files of this folder, once, when identifiers were packed and indexes had segments. They are never made again: what they
 * hold must load for ever.
 *
 *   npm run build && node packages/core/build/test/compat/packed/make.js packages/core/test/compat/packed
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildBundle } from '../../../src/bundle/build-bundle.ts';
import { bundleFromBytes, bundleToBytes, savedBundle } from '../../../src/bundle/bundle.ts';
import { containerSections } from '../../../src/format/saved.ts';
import { toBytes } from '../../../src/format/writer.ts';
import { Runtime } from '../../../src/parallel/runtime.ts';
import { BruteForce } from '../../../src/topk/brute-force/brute-force.ts';
import { saveBruteForce } from '../../../src/topk/brute-force/saved-brute-force.ts';
import type { Identifier } from '../../../src/topk/contract.ts';
import { saveIdentifiers } from '../../../src/topk/saved-identifiers.ts';
import { ScaNN } from '../../../src/topk/scann/scann.ts';
import { segmentsOf } from '../../../src/topk/scann/segments/segments.ts';
import { vectors } from '../../bundle/worlds.ts';
import { answersOf } from '../answers.ts';

const folder = process.argv[2]!;
const runtime = new Runtime({ threads: 1 });
const [ROWS, D] = [60, 5];
const matrix = vectors(ROWS, D, 2, runtime);
const rows = Array.from({ length: ROWS }, (_, row) => matrix.row(row).slice());
const numbers = rows.map((_, row) => (row % 2 === 0 ? 7 * row - 50 : 2 ** 31 - 1 - row));
const texts = rows.map((_, row) => (row % 7 === 0 ? `Amélie ${row} 🎬` : `Film ${row}`));
type Index = BruteForce<Float32Array, Identifier>;
const exact = (identifiers: readonly Identifier[]): Index =>
  new BruteForce<Float32Array, Identifier>({ k: 5, runtime }).index(rows.slice(0, identifiers.length), identifiers);

/** A loaded index to which candidates were added: its identifiers are in two pieces. */
async function updated(identifiers: readonly Identifier[]): Promise<Index> {
  const bytes = bundleToBytes({ index: exact(identifiers.slice(0, 40)) });
  const { index } = await bundleFromBytes<Float32Array, Identifier>(bytes, { runtime });
  const loaded = index as Index;
  loaded.upsert(identifiers.slice(40), rows.slice(40));
  return loaded;
}

/** The same index with its texts in parts, as those beyond 4 GiB are. */
async function inParts(): Promise<Uint8Array> {
  const index = await updated(texts);
  const saved = saveBruteForce(index);
  const identifiers = saveIdentifiers(index.identifiers!, 'string', 100);
  const parts = { ...saved.parts, identifiers };
  return toBytes(
    containerSections(savedBundle({ index }, { saved: { ...saved, parts }, identifiers: undefined })),
    runtime,
  );
}

const streamed = join(folder, 'streamed-in-segments.shortlist');
const index = new ScaNN<Float32Array, Identifier>({
  ...{ tree: 'always', numLeaves: 4, numLeavesToSearch: 4, minLeafSize: 0, trainingSampleSize: 50, soar: 1, k: 5 },
  ...{ segments: segmentsOf(1_000), runtime },
});
// 200 rows are the sample of 4 leaves, so there are more.
const many = Array.from({ length: 300 }, (_, i) =>
  Float32Array.from(rows[i % ROWS]!, (x, t) => x + 0.01 * ((i + t) % 9)),
);
await buildBundle(streamed, { index }, () => [[many.map((_, i) => 3 * i), many]]);

const files: Record<string, Uint8Array> = {
  'whole-numbers.shortlist': bundleToBytes({ index: exact(numbers) }),
  'whole-numbers-updated.shortlist': bundleToBytes({ index: await updated(numbers) }),
  'bigints-updated.shortlist': bundleToBytes({ index: await updated(numbers.map((x) => BigInt(x) * 2n ** 32n)) }),
  'strings-updated.shortlist': bundleToBytes({ index: await updated(texts) }),
  'strings-in-parts.shortlist': await inParts(),
  'streamed-in-segments.shortlist': readFileSync(streamed),
};
const lines: string[] = [];
for (const [name, bytes] of Object.entries(files)) {
  writeFileSync(join(folder, name), bytes);
  lines.push(`  ${JSON.stringify(name)}: ${JSON.stringify(await answersOf(bytes))}`);
}
writeFileSync(join(folder, 'expected.json'), `{\n${lines.join(',\n')}\n}\n`);
