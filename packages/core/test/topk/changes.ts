/**
 * The changes of an index that holds its candidates, each with its effect on a plain list of them, for tests of order.
 */
import assert from 'node:assert/strict';
import { type SavableIndex, saveIndex } from '../../src/bundle/registry.ts';
import { readSaved } from '../../src/format/part.ts';
import { containerSections } from '../../src/format/saved.ts';
import { bytesSource } from '../../src/format/source.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import { loadBruteForce } from '../../src/topk/brute-force/saved-brute-force.ts';
import { isRebalancing, type UpdatableTopK } from '../../src/topk/contract.ts';
import { loadScann } from '../../src/topk/scann/saved-scann.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { segmentsOf } from '../../src/topk/scann/segments/segments.ts';
import { normalRows } from '../conformance/oracle.ts';
import { containerOf } from '../format/containers.ts';

export const D = 6;
export const ROWS = 120;
const runtime = new Runtime({ threads: 2 });
export type Index = UpdatableTopK<ArrayLike<number>, string>;
/** The expected content of an index: the vector of each identifier, undefined before `index` and after `free`. */
export type Held = Map<string, ArrayLike<number>> | undefined;

export const rows: Float32Array[] = normalRows(ROWS, D, 5);
const others = normalRows(ROWS, D, 6);
/** The vectors of upserts: no two candidates are equal, so the order of ties does not matter. */
const fresh = normalRows(500, D, 8);
export const queries: Float32Array[] = normalRows(4, D, 7);
const names = (prefix: string): string[] => rows.map((_, i) => `${prefix}${i}`);
export const first = (): NonNullable<Held> => new Map(names('a').map((id, i) => [id, rows[i]!]));

const scann = {
  tree: 'always',
  numLeaves: 12,
  minLeafSize: 4,
  numLeavesToSearch: 12,
  groupBound: false,
  runtime,
} as const;
const everything = { ...scann, numReorderingCandidates: 100_000 };
/** Every index that takes updates; all leaves are searched, so that answers are exact. */
export const INDEXES: Readonly<Record<string, () => Index>> = {
  BruteForce: () => new BruteForce<ArrayLike<number>, string>({ runtime }),
  'BruteForce in segments': () => new BruteForce<ArrayLike<number>, string>({ runtime, segments: segmentsOf(1) }),
  'ScaNN with leaves': () => new ScaNN<ArrayLike<number>, string>(everything),
  'ScaNN with second leaves': () => new ScaNN<ArrayLike<number>, string>({ ...everything, soar: 1 }),
  'ScaNN without leaves': () => new ScaNN<ArrayLike<number>, string>({ runtime, tree: 'never' }),
};

/** A verb: what it does to an index, and to the plain list; a value is what it answers, checked against the list then. */
export interface Verb {
  name: string;
  isAsync: boolean;
  run: (index: Index, tag: number) => unknown;
  /** Undefined: the verb does not change what is held. */
  change?: (held: Held, tag: number) => Held;
  /** Check an answer against what was held when the verb was called. */
  check?: (answer: unknown, held: NonNullable<Held>) => void | Promise<void>;
  /** It needs candidates. */
  needsHeld: boolean;
}

/** The answers of an index that holds exactly this. */
export function hitsOf(held: NonNullable<Held>): unknown[] {
  const oracle = new BruteForce<ArrayLike<number>, string>({ runtime }).index([...held.values()], [...held.keys()]);
  const result = oracle.call(queries, 9);
  oracle.free();
  return queries.map((_, b) => result.hits(b));
}

export function checkHeld(index: Index, held: Held): void {
  assert.equal(index.size, held?.size ?? 0);
  if (!held) {
    assert.throws(() => index.call(queries, 9), { code: 'ERR_STATE' });
    return;
  }
  const result = index.call(queries, 9);
  assert.deepEqual(
    queries.map((_, b) => result.hits(b)),
    hitsOf(held),
  );
  assert.deepEqual(
    index.candidateVectors([...held.keys()]).data,
    Float32Array.from([...held.values()].flatMap((row) => Array.from(row))),
  );
}

const checkHits = (answer: unknown, held: NonNullable<Held>): void => {
  const result = answer as ReturnType<Index['call']>;
  assert.deepEqual(
    queries.map((_, b) => result.hits(b)),
    hitsOf(held),
  );
};

/** Load saved bytes of an index, and check that the content is the expected one. */
async function checkSaved(answer: unknown, held: NonNullable<Held>): Promise<void> {
  const bytes = answer as Uint8Array;
  const loaded = await readSaved(
    bytesSource(bytes),
    (part): Index => (part.kind === 'scann' ? loadScann(part) : loadBruteForce(part)),
    runtime,
  );
  const everything = { k: 9, leavesToSearch: 12, reorder: 100_000 };
  const result = loaded instanceof ScaNN ? loaded.call(queries, everything) : loaded.call(queries, 9);
  checkHits(result, held);
}

/** Replaces two candidates and adds two. */
const upserted = (tag: number): [string[], Float32Array[]] => [
  ['a3', `n${tag}`, `n${tag}`, 'a7', `m${tag % 3}`],
  [1, 2, 3, 4, 5].map((i) => fresh[tag * 5 + i]!),
];
const deleted = (tag: number): string[] => ['a3', `a${tag % 20}`, `n${tag - 1}`, `m${tag % 2}`, 'nobody'];

const upsert = (held: Held, tag: number): Held => {
  if (!held) return held;
  const next = new Map(held);
  const [ids, vectors] = upserted(tag);
  ids.forEach((id, i) => {
    next.set(id, vectors[i]!);
  });
  return next;
};
const remove = (held: Held, tag: number): Held => {
  if (!held) return held;
  const next = new Map(held);
  for (const id of deleted(tag)) next.delete(id);
  return next;
};
const replaced = (_held: Held, tag: number): Held => new Map(rows.map((_, i) => [`a${i}`, others[(i + tag) % ROWS]!]));
const given = (tag: number): [Float32Array[], string[]] => [rows.map((_, i) => others[(i + tag) % ROWS]!), names('a')];

const saved = (index: Index): Uint8Array =>
  containerOf(containerSections(saveIndex(index as unknown as SavableIndex<ArrayLike<number>, string>)));

const verb = (name: string, isAsync: boolean, rest: Omit<Verb, 'name' | 'isAsync' | 'needsHeld'>): Verb => ({
  name,
  isAsync,
  needsHeld: !['index', 'indexAsync', 'indexFromDataset', 'free', 'freeAsync'].includes(name),
  ...rest,
});

const VERBS: readonly Verb[] = [
  verb('call', false, { run: (index) => index.call(queries, 9), check: checkHits }),
  verb('callAsync', true, { run: (index) => index.callAsync(queries, 9), check: checkHits }),
  verb('upsert', false, { run: (index, tag) => index.upsert(...upserted(tag)), change: upsert }),
  verb('upsertAsync', true, { run: (index, tag) => index.upsertAsync(...upserted(tag)), change: upsert }),
  verb('delete', false, { run: (index, tag) => index.delete(deleted(tag)), change: remove }),
  verb('deleteAsync', true, { run: (index, tag) => index.deleteAsync(deleted(tag)), change: remove }),
  verb('reserve', false, { run: (index) => index.reserve(9_000) }),
  verb('reserveAsync', true, { run: (index) => index.reserveAsync(20_000) }),
  verb('index', false, { run: (index, tag) => index.index(...given(tag)), change: replaced }),
  verb('indexAsync', true, { run: (index, tag) => index.indexAsync(...given(tag)), change: replaced }),
  verb('indexFromDataset', true, {
    run: (index, tag) => index.indexFromDataset([[given(tag)[1], given(tag)[0]]]),
    change: replaced,
  }),
  verb('save', false, { run: saved, check: checkSaved }),
  verb('free', false, { run: (index) => index.free(), change: () => undefined }),
  verb('freeAsync', true, { run: (index) => index.freeAsync(), change: () => undefined }),
];
const REBALANCE: Verb = verb('rebalance', true, { run: (index) => isRebalancing(index) && index.rebalance() });

/** The verbs that an index has. */
export function verbsOf(index: Index): Verb[] {
  return isRebalancing(index) ? [...VERBS, REBALANCE] : [...VERBS];
}
