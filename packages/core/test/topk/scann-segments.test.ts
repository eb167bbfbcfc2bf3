/** An index cut into segments, each in a memory of its own, finds what it found in one memory: bits, order and work. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Runtime } from '../../src/parallel/runtime.ts';
import { finish } from '../../src/parallel/steps.ts';
import { buildLive, gatherCandidates } from '../../src/topk/scann/build/build-live.ts';
import { type ScannOptions, type ScannSettings, scannSettings } from '../../src/topk/scann/options.ts';
import type { Found } from '../../src/topk/scann/search/call-buffers.ts';
import { distinctQueries } from '../../src/topk/scann/search/distinct-queries.ts';
import { compileFilter, excludedSlots, SlotsOfRows } from '../../src/topk/scann/search/masks.ts';
import { type Effort, listedSlots, type SearchPlan, searchPlan } from '../../src/topk/scann/search/plan.ts';
import { ScannSearch } from '../../src/topk/scann/search/search.ts';
import type { SearchWork } from '../../src/topk/scann/search/search-work.ts';
import { cutLeaves } from '../../src/topk/scann/segments/cut-leaves.ts';
import { SegmentedSearch } from '../../src/topk/scann/segments/segmented-search.ts';
import type { LiveIndex } from '../../src/topk/scann/update/live-index.ts';
import { vectorSource } from '../../src/topk/vector-source.ts';
import { flat, normalRows } from '../conformance/oracle.ts';
import { VARIANTS } from '../kernels/variants.ts';

const [N, D, QUERIES] = [1_500, 9, 40];

/** One of each way through the kernels; ties in number, because few codewords have few scores. */
const CASES: Record<string, ScannOptions<ArrayLike<number>>> = {
  'dot product, groups skipped': { groupBound: 1 },
  'dot product, no group skipped': { groupBound: false },
  'cosine, second leaves': { distanceMeasure: 'cosine', soar: 1 },
  'dot product, second leaves, groups skipped': { soar: 1, groupBound: 1 },
  'squared distance': { distanceMeasure: 'squared_l2' },
  'upper tree, bfloat16': { upperTree: true, reorder: 'bfloat16', groupBound: 1 },
  'int8 rows, wide blocks': { reorder: 'int8', dimensionsPerBlock: 5, correction: false },
  'balanced PCA': { rotation: 'balanced-pca', dimensionsPerBlock: 3 },
  'approximate scores, second leaves': { reorder: false, soar: 0.5, groupBound: 2 },
};

function build(
  options: ScannOptions<ArrayLike<number>>,
  runtime: Runtime,
): { live: LiveIndex<number>; settings: ScannSettings } {
  const reordered = options.reorder === false ? {} : { numReorderingCandidates: 25 };
  const base = {
    k: 7,
    tree: 'always' as const,
    numLeaves: 60,
    numLeavesToSearch: 9,
    trainingIterations: 3,
    minLeafSize: 2,
  };
  const settings = scannSettings({ ...base, ...reordered, ...options });
  // Norms that vary, and rows that occur twice.
  const rows = normalRows(N, D, 3).map((row, i) => row.map((x) => x * (1 + (i % 5))));
  for (let i = 0; i < 40; i++) rows[N - 1 - i] = rows[i]!;
  const source = vectorSource('candidates', flat(rows));
  const steps = buildLive<number>(gatherCandidates(source, undefined, settings, runtime), settings, runtime);
  for (;;) {
    const step = steps.next();
    if (step.done) return { live: step.value, settings };
  }
}

interface Call {
  effort?: Effort;
  filter?: (id: number, row: number) => boolean;
  exclude?: readonly (readonly number[])[];
}

const CALLS: Record<string, Call> = {
  plain: {},
  'a filter': { filter: (_, row) => row % 3 > 0 },
  exclusions: { exclude: Array.from({ length: QUERIES }, (_, query) => [query, 3 * query, 700 + query]) },
  'a filter, exclusions and all leaves': {
    effort: { leavesToSearch: 60, reorder: 60 },
    filter: (_, row) => row % 2 === 0,
    exclude: Array.from({ length: QUERIES }, (_, query) => (query % 4 ? [2 * query, 2, 4, 6, 8] : [])),
  },
  'every candidate scored exactly': { effort: { exact: true } },
  'a filter that leaves few': { filter: (_, row) => row % 97 === 5 },
  'more reordered than the leaves hold': { effort: { reorder: 900, leavesToSearch: 3 } },
};

/** The cases of the readable kernels. */
const READ: readonly string[] = ['dot product, groups skipped', 'approximate scores, second leaves'];

const noWork = (): SearchWork => ({ queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 });

for (const { variant, runtime, skip } of VARIANTS) {
  for (const [name, options] of Object.entries(CASES)) {
    // The readable kernels take a second a case, and each phase is in one of these.
    if (variant === 'reference' && !READ.includes(name)) continue;
    test(`${name}, ${variant}: segments find what one memory finds, with the same work`, { skip }, async () => {
      const { live, settings } = build(options, runtime);
      const { leaves: whole, identifiers } = live;
      const cut = cutLeaves(whole, whole.sizeBytes / 6);
      assert.ok(cut.segments.length >= 5, `${cut.segments.length} segments`);
      const buffers = new Set(cut.segments.map(({ runtime }) => runtime.heap.memory.memory.buffer));
      assert.equal(buffers.size, cut.segments.length, 'each has a memory of its own');
      const [one, many] = [new ScannSearch(runtime), new SegmentedSearch(cut)];
      const queries = vectorSource('queries', flat(normalRows(QUERIES, D, 4)));
      for (const [call, { effort = {}, filter, exclude }] of Object.entries(CALLS)) {
        if (options.reorder === false && effort.exact) continue;
        const compiled = compileFilter(whole, identifiers, { filter }, () => live.slots);
        const exclusions = excludedSlots(identifiers, QUERIES, exclude, () => live.slots);
        const plan = searchPlan({
          settings,
          leaves: whole,
          rows: N,
          size: N,
          k: 7,
          effort,
          filter: compiled,
          exclusions,
        });
        const segments = cut.segments.map((segment): Pick<SearchPlan, 'filter' | 'exclusions' | 'listed'> => {
          const slots = finish(SlotsOfRows.steps(segment, N));
          const own = compileFilter(segment, identifiers, { filter }, () => slots);
          const excluded = excludedSlots(identifiers, QUERIES, exclude, () => slots);
          return {
            filter: own?.words.offset ?? 0,
            exclusions: excluded,
            listed: plan.listed && listedSlots(segment, own),
          };
        });
        const isCosine = settings.distanceMeasure === 'cosine';
        const { count, write } = distinctQueries(one, whole, queries, isCosine, plan);
        const work = noWork();
        const expected = one.run(whole, count, write, plan, work);
        const check = (found: Found, counted: SearchWork): void => {
          assert.deepEqual(found.counts, expected.counts, call);
          assert.deepEqual(found.rows, expected.rows, call);
          assert.deepEqual(found.scores, expected.scores, call);
          // Where groups are skipped, a list of slots or a scan of leaves does the same work in segments.
          assert.deepEqual(counted, work, call);
        };
        const [first, second] = [noWork(), noWork()];
        check(many.run(count, write, { head: plan, segments }, first), first);
        check(await many.runAsync(count, write, { head: plan, segments }, second), second);
        compiled?.free();
      }
      many.free();
      cut.free();
      one.free();
      live.free();
    });
  }
}
