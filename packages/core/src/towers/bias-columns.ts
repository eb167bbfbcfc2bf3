/**
 * Biases of a two-tower model, as columns behind the vectors of both towers, so that every index with the dot product
 * serves them:
 *
 *   query [u | 1], candidate [v | c]               score ⟨u, v⟩ + c            biases of candidates
 *   query [u | 1 | b], candidate [v | c | 1]       score ⟨u, v⟩ + c + b        biases of both
 *
 * The bias of a row is the sum of the biases of its words (of a bag the sum with the bag's weights), each 0 at the start.
 * They are float32, one for each word, also beside a compressed table. The columns stand behind the layers and the
 * normalization: of unit vectors the score is their cosine plus biases. Floats (numbers, vectors) have no bias.
 *
 * Source: Koren, Bell, Volinsky, "Matrix Factorization Techniques for Recommender Systems", 2009, equation 4.
 */
import { checkOneOf } from '../checks/numbers.ts';
import { optionsCheck, required, STRING } from '../checks/options.ts';
import { FullTable } from '../embeddings/full.ts';
import { OptionError } from '../errors/errors.ts';
import { loadPart, type Part } from '../format/part.ts';
import type { Saved } from '../format/saved.ts';
import { padded } from '../layers/contract.ts';
import { copyColumns } from '../layers/copy-columns.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Matrix } from '../vectors/matrix.ts';
import { embedBags, weightedIds } from './embedding-bag.ts';
import type { EncodedFeatures } from './encoded-features.ts';
import type { RowAdder } from './row-sums.ts';
import type { TableGradients } from './table-gradients.ts';
import type { TowerInput } from './tower-inputs.ts';

/** The rows of a model that have biases. */
export type BiasOwners = 'candidates' | 'both';

const SIDES = ['query', 'candidate'] as const;
const OWNERS: readonly BiasOwners[] = ['candidates', 'both'];

/** Biases of a tower. Both towers of a model must have them. */
export interface BiasOptions {
  /** The side of the model on which the tower stands. */
  side: 'query' | 'candidate';
  /**
   * Whether queries have biases too; default 'candidates'. The bias of a query changes no ranking, and of the losses
   * 'cosine-contrastive' alone depends on it.
   */
  of?: BiasOwners;
}

const checkOptions = optionsCheck<BiasOptions>('biases', { side: required(STRING), of: STRING });

/** The bias columns of one tower. */
export class BiasColumns {
  readonly side: 'query' | 'candidate';
  readonly of: BiasOwners;
  /** The biases [words, 1] of each input of the tower; undefined for floats, and for a side without biases. */
  readonly tables: readonly (FullTable | undefined)[];

  constructor(side: 'query' | 'candidate', of: BiasOwners, tables: readonly (FullTable | undefined)[]) {
    this.side = side;
    this.of = of;
    this.tables = tables;
  }

  /** The number of columns. */
  get count(): number {
    return this.of === 'both' ? 2 : 1;
  }

  /** The place of the learned column among them. */
  get #learned(): number {
    return this.side === 'query' ? 1 : 0;
  }

  /** [rows, padded(d + count)] vectors of width d with the columns behind them; a new matrix. */
  behind(
    vectors: Matrix,
    d: number,
    inputs: readonly TowerInput[],
    features: EncodedFeatures,
    adder: RowAdder,
  ): Matrix {
    const { rows, runtime } = vectors;
    const out = new Matrix(rows, padded(d + this.count), runtime);
    copyColumns(vectors, 0, out, 0, d);
    if (this.side === 'query' || this.of === 'both') {
      const one = d + (this.side === 'query' ? 0 : 1);
      for (let row = 0; row < rows; row++) out.row(row)[one] = 1;
    }
    const words = new Matrix(rows, 1, runtime);
    this.tables.forEach((table, i) => {
      const column = features.columns[i]!;
      if (!table || column.kind === 'floats') return;
      embedBags(table, weightedIds(column, inputs[i]!.feature?.combiner ?? 'sum'), adder, words, 0);
      copyColumns(words, 0, out, d + this.#learned, 1, true);
    });
    words.free();
    return out;
  }

  /** Add the gradients of the biases to `all`, from the gradient of the vectors with their columns. */
  addGradients(
    gradient: Matrix,
    d: number,
    inputs: readonly TowerInput[],
    features: EncodedFeatures,
    all: TableGradients,
  ): void {
    this.tables.forEach((table, i) => {
      const column = features.columns[i]!;
      if (!table || column.kind === 'floats') return;
      const ids = weightedIds(column, inputs[i]!.feature?.combiner ?? 'sum');
      all.add(table, { ...ids, gradient, column: d + this.#learned, isDistinct: false });
    });
  }

  /** The learned biases of all inputs. */
  parameters(): Matrix[] {
    return this.tables.flatMap((table) => table?.trained() ?? []);
  }
}

/** New biases of 0. @throws {OptionError} when an option is out of range, or no input has words */
export function newBiases(options: BiasOptions, inputs: readonly TowerInput[], runtime: Runtime): BiasColumns {
  const { side, of = 'candidates' } = checkOptions(options);
  checkOneOf('biases.side', side, SIDES);
  checkOneOf('biases.of', of, OWNERS);
  const isLearned = side === 'candidate' || of === 'both';
  if (isLearned && inputs.every(({ table }) => !table)) {
    throw new OptionError('biases: expected a feature with words in the tower beside them, got none');
  }
  const tables = inputs.map(({ table }) =>
    table && isLearned ? new FullTable(new Matrix(table.vocabularySize, 1, runtime)) : undefined,
  );
  return new BiasColumns(side, of, tables);
}

/** The settings and parts of a tower's biases; empty without biases. */
export function savedBiases(biases: BiasColumns | undefined): {
  settings: { biases?: string[] };
  parts: Record<string, Saved>;
} {
  if (!biases) return { settings: {}, parts: {} };
  const parts = biases.tables.flatMap((table, i) => (table ? [[`bias${i}`, table.save()] as const] : []));
  return { settings: { biases: [biases.side, biases.of] }, parts: Object.fromEntries(parts) };
}

/** The saved biases of a tower with these inputs. @throws {FormatError} when they do not fit the inputs */
export function loadBiases(part: Part, inputs: readonly TowerInput[]): BiasColumns | undefined {
  const { settings } = part;
  if (!settings.has('biases')) return undefined;
  const [side, of, ...others] = settings.strings('biases');
  const [isSide, isOwner] = [SIDES.find((name) => name === side), OWNERS.find((name) => name === of)];
  if (!isSide || !isOwner || others.length > 0) {
    throw settings.error('biases', `expected a side and its owners, got ${settings.strings('biases').join(', ')}`);
  }
  const isLearned = isSide === 'candidate' || isOwner === 'both';
  const tables = inputs.map(({ table }, i) => {
    if (!table || !isLearned) return undefined;
    const bias = loadPart(part.part(`bias${i}`), { full: FullTable.load });
    if (bias.vocabularySize === table.vocabularySize && bias.dimensions === 1) return bias;
    const got = `${bias.vocabularySize} of ${bias.dimensions}`;
    throw settings.error('biases', `expected ${table.vocabularySize} of 1 number for input ${i}, got ${got}`);
  });
  return new BiasColumns(isSide, isOwner, tables);
}
