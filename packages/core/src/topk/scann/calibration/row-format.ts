/**
 * Chooses the number format of the rows of a built index (`reorder: 'auto'`). A query reads a row for each candidate that
 * it reorders; a row of 768 float32 numbers has 3 KiB, so that these reads are most of the time of the query.
 *
 * Some candidates of the index are queries. The codes select candidates for each, which are scored exactly and with rows
 * rounded to each format; the loss of a format is the share of the k best by exact scores that it does not have among its
 * k best. The format of the fewest bytes whose loss is below `LOSS_MAX` is kept. No clock is read, so the same seed gives
 * the same format. Limit: candidates that the codes do not select are not compared.
 */
import type { Identifier } from '../../contract.ts';
import { ROW_KINDS } from '../build/shape.ts';
import { convertStoredRows, takeMagnitudes } from '../build/store-rows.ts';
import { GROUP_SLOTS, type RowLoss, rowPlaces, rowStride } from '../leaves.ts';
import { prepareCall, runCall } from '../search/call.ts';
import { ScannSearch } from '../search/search.ts';
import { MEASURED_FROM, type ReorderRows, type ScannSettings } from '../settings.ts';
import { rowReader } from '../update/kept-rows.ts';
import type { LiveIndex } from '../update/live-index.ts';
import { MEASUREMENTS } from './measurements.ts';
import { type SampledCandidate, sampleCandidates, vectorsOf } from './sampled-candidates.ts';

/** A format that loses this share of the results, or more, is not kept. */
const LOSS_MAX = 0.002;
/** With 500 queries of 10 results, a loss of .002 has a standard error of .0006. */
const QUERIES_MAX = 500;

/** Convert the rows of an index in one memory to the format that its settings ask to choose. */
export function chooseRowFormat<I extends Identifier>(live: LiveIndex<I>, settings: ScannSettings): void {
  const { shape, head } = live.leaves;
  const k = Math.min(settings.tunedK ?? settings.k, live.size - 1);
  if (settings.reorder !== 'auto' || shape.dimensions < MEASURED_FROM || k < 1) return;
  const rowLoss = measuredLoss(live, settings, k);
  shape.rowLoss = rowLoss;
  if (rowLoss.int8 < LOSS_MAX) convertStoredRows(head, ROW_KINDS.int8);
  else if (rowLoss.bfloat16 < LOSS_MAX) convertStoredRows(head, ROW_KINDS.bfloat16);
  head.refresh();
}

/** Measure the loss of each format. */
function measuredLoss<I extends Identifier>(live: LiveIndex<I>, settings: ScannSettings, k: number): RowLoss {
  const { leaves, size } = live;
  const { dimensions: d, isSquared } = leaves.shape;
  const asked = sampleCandidates(live, Math.min(QUERIES_MAX, Math.floor(size / 2)), settings.seed);
  const selected = selectedSlots(live, settings, asked, k);
  const read = rowReader(leaves);
  const rounding = new Rounding(live);
  const query = new Float32Array(d);
  const row = new Float32Array(d);
  let bfloat16 = 0;
  let int8 = 0;
  asked.forEach(({ slot }, i) => {
    read(slot, query);
    const exact: number[] = [];
    const asBfloat16: number[] = [];
    const asInt8: number[] = [];
    for (const candidate of selected[i]!) {
      read(candidate, row);
      exact.push(scoreOf(query, row, isSquared));
      asBfloat16.push(scoreOf(query, rounding.toBfloat16(row), isSquared));
      asInt8.push(scoreOf(query, rounding.toInt8(row), isSquared));
    }
    bfloat16 += lostResults(exact, asBfloat16, k);
    int8 += lostResults(exact, asInt8, k);
  });
  const results = k * asked.length;
  return { k, queries: asked.length, bfloat16: bfloat16 / results, int8: int8 / results };
}

/** The slots of the candidates that the codes select for each query, without the query itself, by row number. */
function selectedSlots<I extends Identifier>(
  live: LiveIndex<I>,
  settings: ScannSettings,
  asked: readonly SampledCandidate[],
  k: number,
): number[][] {
  const { leaves, size } = live;
  const count = Math.min(size, Math.max(settings.numReorderingCandidates, k) + 1);
  const leavesToSearch = settings.numLeavesToSearch;
  const search = new ScannSearch(leaves.runtime);
  try {
    const options = { k: count, reorder: count, leavesToSearch };
    const found = runCall(prepareCall({ settings, k }, live, search, vectorsOf(leaves, asked), options), search);
    const slotOf = new Int32Array(live.identifiers.size);
    const rowOf = leaves.head.integers('rowOf');
    for (let slot = leaves.shape.groups * GROUP_SLOTS - 1; slot >= 0; slot--) {
      if (rowOf[slot]! >= 0) slotOf[rowOf[slot]!] = slot;
    }
    return asked.map(({ row }, query) =>
      Array.from(found.rowsOf(query).filter((other) => other !== row))
        .sort((a, b) => a - b)
        .map((other) => slotOf[other]!),
    );
  } finally {
    search.free();
  }
}

/** The results among the k best of a format whose exact score is below the k-th best exact score. */
function lostResults(exact: readonly number[], ofFormat: readonly number[], k: number): number {
  if (exact.length <= k) return 0;
  const least = Float64Array.from(exact).sort().at(-k)!;
  const best = Array.from(ofFormat.keys()).sort((a, b) => ofFormat[b]! - ofFormat[a]! || a - b);
  return best.slice(0, k).filter((candidate) => exact[candidate]! < least).length;
}

/** ⟨q, x⟩ or −|q − x|². */
function scoreOf(query: Float32Array, row: Float32Array, isSquared: boolean): number {
  let sum = 0;
  if (isSquared) for (let t = 0; t < query.length; t++) sum -= (query[t]! - row[t]!) ** 2;
  else for (let t = 0; t < query.length; t++) sum += query[t]! * row[t]!;
  return sum;
}

/** Rounds rows as the formats of an index would; a rounded row is valid until the next one. */
class Rounding {
  readonly #rounded: Float32Array;
  readonly #bits: Uint32Array;
  /** The scales that int8 rows of the index would have. */
  readonly #scales: Float32Array;

  constructor({ leaves: { head, shape } }: LiveIndex<Identifier>) {
    this.#rounded = new Float32Array(shape.dimensions);
    this.#bits = new Uint32Array(this.#rounded.buffer);
    const magnitudes = new Float32Array(rowStride(shape.dimensions));
    takeMagnitudes(head.floats('rows').subarray(0, magnitudes.length * rowPlaces(shape)), magnitudes);
    this.#scales = magnitudes.map((most) => most / 127);
  }

  toBfloat16(row: Float32Array): Float32Array {
    this.#rounded.set(row);
    const bits = this.#bits;
    for (let t = 0; t < bits.length; t++) bits[t] = (bits[t]! + 0x7fff + ((bits[t]! >>> 16) & 1)) & 0xffff0000;
    return this.#rounded;
  }

  toInt8(row: Float32Array): Float32Array {
    const to = this.#rounded;
    const scales = this.#scales;
    let most = 0;
    let isWhole = true;
    for (let t = 0; t < to.length; t++) {
      const scaled = scales[t]! > 0 ? row[t]! / scales[t]! : 0;
      to[t] = scaled;
      most = Math.max(most, Math.abs(scaled));
      isWhole &&= Number.isInteger(to[t]);
    }
    const factor = isWhole || most === 0 ? 1 : most / 127;
    for (let t = 0; t < to.length; t++) to[t] = Math.round(to[t]! / factor) * scales[t]! * factor;
    return to;
  }
}

/** The note of `stats()`. */
function noteOf(reorder: ReorderRows | false, { k, queries, bfloat16, int8 }: RowLoss): string {
  return (
    `reorder: rows are kept as ${reorder}; int8 loses ${int8.toFixed(4)} and bfloat16 ${bfloat16.toFixed(4)} of ` +
    `recall@${k}, measured with ${queries} of the candidates as queries`
  );
}

MEASUREMENTS.rows = { choose: chooseRowFormat, noteOf };

/**
 * The choice of the number format of rows as the option `reorder` of an index: `new ScaNN({ reorder: measuredRows.name })`.
 * In Node the default is enough; a bundler adds the code only to a program that uses `measuredRows` or bundles.
 */
export const measuredRows: { readonly name: 'auto' } = { name: 'auto' };
