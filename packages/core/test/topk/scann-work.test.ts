/**
 * Work a query for fixed seeds and data, beside its recall, against the committed figures of test/golden/scann-work.json:
 * a change of either is seen at once, where a time would drown in noise.
 *
 * SHORTLIST_WORK=write writes the figures anew (CONTRIBUTING.md).
 */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { balancedPca } from '../../src/quantization/pca.ts';
import { Generator } from '../../src/random/generator.ts';
import { recallOf } from '../../src/topk/recall.ts';
import type { ScannOptions } from '../../src/topk/scann/options.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { flat, normalRows } from '../conformance/oracle.ts';
import { golden } from '../golden/golden.ts';

type Options = ScannOptions<ArrayLike<number>>;
type Vectors = { data: Float32Array; dimensions: number };
interface Set {
  base: Vectors;
  queries: Vectors;
  options: Options;
  builds: Record<string, Options>;
}
interface Figures {
  recall: number;
  centroids: number;
  leaves: number;
  groupsSkipped: number;
  codes: number;
  reorders: number;
}
type Golden = Record<string, string | Record<string, Figures>>;

const FILE = new URL('../../../test/golden/scann-work.json', import.meta.url);
const EFFORTS = [
  { leavesToSearch: 4, reorder: 30 },
  { leavesToSearch: 16, reorder: 100 },
];
const GROUP = 32;

/** Rows around a few centres, as words and pictures lie. */
function clustered(rows: number, dimensions: number, seed: number): Vectors {
  const centres = normalRows(40, dimensions, 9);
  const noise = normalRows(rows, dimensions, seed);
  return flat(noise.map((row, i) => row.map((x, t) => centres[(i * 7) % 40]![t]! + 0.6 * x)));
}

/** Rows and shrunk copies of them, as the tutorial's second half has. */
function shrunk(rows: number, copies: number, dimensions: number): Vectors {
  const generator = new Generator(5).fork('shrunk');
  const base = normalRows(rows, dimensions, 4);
  return flat(Array.from({ length: copies }, () => base.map((row) => row.map((x) => x * generator.uniform()))).flat());
}

const SETS: Record<string, () => Set> = {
  'shrunk copies 16,000 × 16, inner product': () => ({
    base: shrunk(200, 80, 16),
    queries: flat(normalRows(50, 16, 6)),
    options: { numLeaves: 40 },
    builds: {
      default: {},
      'no correction': { correction: false },
      'no group bound': { groupBound: false },
      'means for centroids': { avq: false },
      'more leaves': { numLeaves: 256 },
      'more leaves, upper tree': { numLeaves: 256, upperTree: true },
    },
  }),
  'clusters 8,000 × 24, cosine': () => ({
    base: clustered(8000, 24, 1),
    queries: clustered(50, 24, 2),
    options: { distanceMeasure: 'cosine' },
    builds: { default: {}, 'second leaves': { soar: 1 }, 'nearest codewords': { anisotropic: false } },
  }),
  'clusters 6,000 × 33, squared distance': () => ({
    base: clustered(6000, 33, 1),
    queries: clustered(50, 33, 2),
    options: { distanceMeasure: 'squared_l2' },
    builds: {
      default: {},
      'second leaves': { soar: 1 },
      '3 dimensions a block': { dimensionsPerBlock: 3 },
      '3 dimensions a block, balanced PCA': { dimensionsPerBlock: 3, rotation: balancedPca.name },
    },
  }),
};

/** Sets that are not in the project: their names and files under SHORTLIST_DATA. */
const REAL: Record<string, { file: string; rows: number; options: Options }> = {
  'GloVe, first 12,000 × 50, cosine': {
    file: 'glove-6b-50d/emb_f16.npy',
    rows: 12_000,
    options: { distanceMeasure: 'cosine' },
  },
  'SIFT 5,000 × 128, squared distance': {
    file: 'sift-5k-ngt/base.u8.npy',
    rows: 5000,
    options: { distanceMeasure: 'squared_l2' },
  },
};

/** The first rows of a .npy file of bytes or float16; every 100th is a query. */
function readRows(path: string, rows: number): { base: Vectors; queries: Vectors } {
  const file = readFileSync(path);
  const begin = 10 + file.readUInt16LE(8);
  const header = file.toString('latin1', 10, begin);
  const dimensions = Number(/'shape': \(\d+, (\d+)\)/.exec(header)![1]);
  const isHalf = header.includes("'<f2'");
  const value = (i: number): number => (isHalf ? half(file.readUInt16LE(begin + 2 * i)) : file[begin + i]!);
  const all = Array.from({ length: rows }, (_, r) =>
    Float32Array.from({ length: dimensions }, (_, t) => value(r * dimensions + t)),
  );
  return { base: flat(all.filter((_, r) => r % 100 > 0)), queries: flat(all.filter((_, r) => r % 100 === 0)) };
}

function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -size : size;
}

function measure({ base, queries, options, builds }: Set): Record<string, Figures> {
  const figures: Record<string, Figures> = {};
  for (const [name, build] of Object.entries(builds)) {
    const index = new ScaNN<ArrayLike<number>, number>({ tree: 'always', numLeaves: 64, ...options, ...build });
    const exact = index.index(base).callExactly(queries as never);
    for (const effort of EFFORTS) {
      const count = (groupBound?: false) => {
        const work = { queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 };
        const found = index.call(queries as never, { ...effort, groupBound, work });
        return { work, recall: recallOf(found, exact) };
      };
      const { work, recall } = count();
      const { centroids, leaves, codes, reorders } = work;
      const groupsSkipped = (count(false).work.codes - codes) / GROUP;
      figures[`${name}, ${effort.leavesToSearch} leaves, ${effort.reorder} reordered`] = {
        recall: Number(recall.toFixed(4)),
        centroids,
        leaves,
        groupsSkipped,
        codes,
        reorders,
      };
    }
    index.free();
  }
  return figures;
}

/** Compare with what is committed, or write it. */
function check(name: string, figures: Record<string, Figures>): void {
  const committed = golden<Golden>('scann-work');
  if (process.env.SHORTLIST_WORK !== 'write') {
    const hint = `${name}: work has changed; if it should, SHORTLIST_WORK=write npm test -- scann-work`;
    assert.deepEqual(figures, committed[name], hint);
    return;
  }
  writeFileSync(FILE, `${JSON.stringify({ ...committed, [name]: figures }, undefined, 2)}\n`);
}

for (const [name, make] of Object.entries(SETS)) test(`work: ${name}`, () => check(name, measure(make())));

for (const [name, { file, rows, options }] of Object.entries(REAL)) {
  const folder = process.env.SHORTLIST_DATA;
  const path = folder && join(folder, file);
  const skip = path && existsSync(path) ? false : `SHORTLIST_DATA has no ${file}`;
  test(`work: ${name}`, { skip }, () => {
    check(name, measure({ ...readRows(path!, rows), options, builds: { default: {} } }));
  });
}
