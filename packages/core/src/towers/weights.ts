/**
 * The weights of a tower as named arrays, to exchange them with other programs, and the import of pretrained embeddings.
 *
 * Names and layouts are Keras's: `embeddings` [rows, dimensions] of a table, `kernel` [inputs, units] and `bias` [units] of a
 * dense layer, `gamma` and `beta` of a layer normalization, after the path of their owner:
 *
 *   movieId.embeddings, age.projection.kernel, layers.0.kernel, layers.2.branches.1.0.bias,
 *   history.attention.positions, history.attention.blocks.1.branches.1.1.kernel
 *
 * A tower of one plain word has `embeddings` alone. `movieId.biases` [rows, 1] are the biases of words, where the tower has some. A program's own layer has `parameters.0`, … as they are. A compressed
 * table is exported as the rows that it computes, and cannot be imported.
 */
import { checkArgument } from '../checks/arguments.ts';
import { nearestName } from '../checks/nearest-name.ts';
import { shown } from '../checks/numbers.ts';
import { LIST, objectWith } from '../checks/options.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { FullTable } from '../embeddings/full.ts';
import { NotFiniteError, OptionError, ShapeError } from '../errors/errors.ts';
import { Branches } from '../layers/branches.ts';
import type { Layer } from '../layers/contract.ts';
import { DenseLayer } from '../layers/dense-layer.ts';
import { LayerNorm } from '../layers/layer-norm.ts';
import { Sequential } from '../layers/sequential.ts';
import { Matrix, type VectorsLike } from '../vectors/matrix.ts';
import type { AttentionEncoder } from './attention-encoder.ts';
import type { Tower } from './tower.ts';
import type { Features, TowerInput } from './tower-inputs.ts';

/** A named array of float32. */
export interface Tensor {
  readonly name: string;
  /** The sizes of its dimensions; empty for a single number. */
  readonly shape: readonly number[];
  /** The numbers in C order: the last dimension is contiguous. */
  readonly data: Float32Array;
}

/** Rows of a matrix that a tensor stands for, without the padding of their columns. */
interface Place {
  readonly name: string;
  readonly shape: readonly number[];
  readonly matrix: Matrix;
  readonly firstRow: number;
}

/** A table whose rows are computed. */
interface ComputedPlace {
  readonly name: string;
  readonly shape: readonly number[];
  readonly table: EmbeddingTable;
}

/** Rows of a compressed table that are computed at once. */
const COMPUTED_ROWS = 8192;

const TOWER = objectWith('a tower', 'inputs', 'layers', 'parameters');

const EMBEDDINGS = objectWith('words and vectors', 'words', 'vectors');
const TENSOR = objectWith('a tensor', 'name', 'shape', 'data');

/** All weights of a tower, tables first. A table that several features share is there once, under the first one's name. */
export function exportWeights<Q extends Features>(tower: Tower<Q>): Tensor[] {
  checkArgument('tower', tower, TOWER);
  return placesOf(tower).map((place): Tensor => {
    const { name, shape } = place;
    if ('table' in place) return { name, shape, data: computedRows(place.table) };
    const [rows, columns] = rowsAndColumns(shape);
    const data = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      data.set(place.matrix.row(place.firstRow + row).subarray(0, columns), row * columns);
    }
    return { name, shape, data };
  });
}

/**
 * Set weights of a tower by name. Weights that are not given keep their values. Nothing is changed where one does not fit.
 *
 * @throws {OptionError} when the tower has no weight of a name, of which the nearest is told, or its table is compressed
 * @throws {ShapeError} when a shape differs
 * @throws {NotFiniteError} when a number is NaN or infinite
 */
export function importWeights<Q extends Features>(tower: Tower<Q>, tensors: readonly Tensor[]): void {
  checkArgument('tower', tower, TOWER);
  checkArgument('tensors', tensors, LIST);
  const places = new Map(placesOf(tower).map((place) => [place.name, place]));
  const checked = tensors.map((tensor) => [placeOf(tensor, places), tensor] as const);
  for (const [{ matrix, firstRow, shape }, { data }] of checked) {
    const [rows, columns] = rowsAndColumns(shape);
    for (let row = 0; row < rows; row++) {
      matrix.row(firstRow + row).set(data.subarray(row * columns, (row + 1) * columns));
    }
  }
}

/** Vectors of words that another program trained. */
export interface PretrainedEmbeddings {
  /** [n] the word of each vector. */
  readonly words: readonly string[];
  /** [n, dimensions] */
  readonly vectors: VectorsLike;
}

/** The result of an import of embeddings. */
export interface ImportedEmbeddings {
  /** Words whose rows were set. */
  readonly imported: number;
  /** Words that are not in the vocabulary of the feature, which were left out. */
  readonly notInVocabulary: number;
  /** Words of the vocabulary without a vector, which keep their rows; undefined for hashed words. */
  readonly withoutVector: number | undefined;
}

/**
 * Set the rows of words in the table of a feature. `optimizer: { features: { NAME: 'frozen' } }` of a model keeps them while
 * it is trained; otherwise they are the start of the training.
 *
 * @param feature the name of the feature; undefined for a tower of one plain word
 * @throws {OptionError} when there is no such feature, or it has no words, or its table is compressed
 * @throws {ShapeError} when the vectors have another width, or another number of rows than there are words
 * @throws {NotFiniteError} when a number is NaN or infinite
 */
export function importEmbeddings<Q extends Features>(
  tower: Tower<Q>,
  feature: string | undefined,
  embeddings: PretrainedEmbeddings,
): ImportedEmbeddings {
  checkArgument('tower', tower, TOWER);
  const { words, vectors } = checkArgument('embeddings', embeddings, EMBEDDINGS);
  checkArgument('words', words, LIST);
  const { table, vocabulary } = wordsOf(tower, feature);
  const given = Matrix.from('vectors', vectors, tower.runtime);
  if (given.rows !== words.length || given.dimensions !== table.dimensions) {
    const got = `[${given.rows}, ${given.dimensions}]`;
    throw new ShapeError(`vectors: expected [${words.length}, ${table.dimensions}], got ${got}`);
  }
  const row = given.data.findIndex((value) => !Number.isFinite(value));
  if (row >= 0) {
    const word = shown(words[Math.floor(row / given.dimensions)]);
    throw new NotFiniteError(`vectors: expected finite numbers, got ${given.data[row]} for ${word}`);
  }
  const known = new Set<number>();
  let imported = 0;
  words.forEach((word, i) => {
    if (!vocabulary.has(word)) return;
    const id = vocabulary.idOf(word);
    known.add(id);
    imported++;
    table.codebook.row(id).set(given.row(i));
  });
  const count = 'wordCount' in vocabulary ? (vocabulary.wordCount as number) : undefined;
  return {
    imported,
    notInVocabulary: words.length - imported,
    withoutVector: count === undefined ? undefined : count - known.size,
  };
}

function wordsOf<Q extends Features>(
  { inputs }: Tower<Q>,
  feature: string | undefined,
): { table: FullTable; vocabulary: { has(word: string): boolean; idOf(word: string): number } } {
  const all: readonly TowerInput[] = inputs;
  const input = all.find(({ name }) => name === (feature ?? ''));
  if (!input) {
    const names = all.map(({ name }) => name);
    const near = feature === undefined ? undefined : nearestName(feature, names);
    const expected = near === undefined ? `one of ${names.map(shown).join(', ')}` : `a feature, nearest is ${near}`;
    throw new OptionError(`feature: expected ${expected}, got ${shown(feature)}`);
  }
  const vocabulary = input.lookup ?? input.feature?.vocabulary;
  if (!vocabulary || !input.table) throw new OptionError(`feature: expected one with words, got ${shown(feature)}`);
  if (!(input.table instanceof FullTable)) {
    throw new OptionError(`feature: expected one with a full table, got one with a ${input.table.method} table`);
  }
  return { table: input.table, vocabulary };
}

function placesOf<Q extends Features>(tower: Tower<Q>): (Place | ComputedPlace)[] {
  const seen = new Set<EmbeddingTable>();
  const inputs: readonly TowerInput[] = tower.inputs;
  const ofInputs = inputs.flatMap(({ name, table, projection, attention }): (Place | ComputedPlace)[] => {
    const path = name === '' ? '' : `${name}.`;
    if (projection) return layerPlaces(projection, `${path}projection`);
    const ofAttention = attention ? attentionPlaces(attention, `${path}attention`) : [];
    if (!table || seen.has(table)) return ofAttention;
    seen.add(table);
    return [tablePlace(table, `${path}embeddings`), ...ofAttention];
  });
  const ofBiases = inputs.flatMap(({ name }, i): Place[] => {
    const matrix = tower.biases?.tables[i]?.codebook;
    const path = name === '' ? 'biases' : `${name}.biases`;
    return matrix ? [{ name: path, shape: [matrix.rows, 1], matrix, firstRow: 0 }] : [];
  });
  return [...ofInputs, ...tower.layers.flatMap((layer, i) => layerPlaces(layer, `layers.${i}`)), ...ofBiases];
}

function tablePlace(table: EmbeddingTable, name: string): Place | ComputedPlace {
  const of = { name, shape: [table.vocabularySize, table.dimensions] };
  return table instanceof FullTable ? { ...of, matrix: table.codebook, firstRow: 0 } : { ...of, table };
}

function attentionPlaces({ positions, blocks }: AttentionEncoder, path: string): (Place | ComputedPlace)[] {
  return [tablePlace(positions, `${path}.positions`), ...layerPlaces(blocks, `${path}.blocks`)];
}

function layerPlaces(layer: Layer, path: string): Place[] {
  if (layer instanceof DenseLayer) {
    const { weights: matrix, inputs, units } = layer;
    return [
      { name: `${path}.kernel`, shape: [inputs, units], matrix, firstRow: 0 },
      { name: `${path}.bias`, shape: [units], matrix, firstRow: inputs },
    ];
  }
  if (layer instanceof LayerNorm) {
    const { weights: matrix, inputs } = layer;
    return ['gamma', 'beta'].map((name, firstRow) => ({ name: `${path}.${name}`, shape: [inputs], matrix, firstRow }));
  }
  if (layer instanceof Sequential) return layer.layers.flatMap((inner, i) => layerPlaces(inner, `${path}.${i}`));
  if (layer instanceof Branches) {
    return layer.branches.flatMap((branch, i) => layerPlaces(branch, `${path}.branches.${i}`));
  }
  return layer.parameters().map((matrix, i) => ({
    ...{ name: `${path}.parameters.${i}`, shape: [matrix.rows, matrix.dimensions] },
    ...{ matrix, firstRow: 0 },
  }));
}

/** The place of a tensor that fits. */
function placeOf(tensor: Tensor, places: ReadonlyMap<string, Place | ComputedPlace>): Place {
  const { name, shape, data } = checkArgument('tensors', tensor, TENSOR);
  const place = places.get(name);
  if (!place) {
    const known = [...places.keys()];
    const near = typeof name === 'string' ? nearestName(name, known) : undefined;
    const expected = near === undefined ? `one of ${known.join(', ')}` : `a weight of the tower, nearest is ${near}`;
    throw new OptionError(`tensors: expected ${expected}, got ${shown(name)}`);
  }
  if ('table' in place) {
    throw new OptionError(`${name}: expected a full table, got a ${place.table.method} table, whose rows are computed`);
  }
  if (shape.join() !== place.shape.join()) {
    throw new ShapeError(`${name}: expected [${place.shape.join(', ')}], got [${shape.join(', ')}]`);
  }
  const [rows, columns] = rowsAndColumns(shape);
  if (data.length !== rows * columns) {
    throw new ShapeError(`${name}: expected ${rows * columns} numbers, got ${data.length}`);
  }
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw new NotFiniteError(`${name}: expected finite numbers, got ${data[at]} at ${at}`);
  return place;
}

function rowsAndColumns(shape: readonly number[]): [rows: number, columns: number] {
  return shape.length === 1 ? [1, shape[0]!] : [shape[0]!, shape[1]!];
}

function computedRows(table: EmbeddingTable): Float32Array {
  const { vocabularySize, dimensions } = table;
  const data = new Float32Array(vocabularySize * dimensions);
  for (let first = 0; first < vocabularySize; first += COMPUTED_ROWS) {
    const count = Math.min(COMPUTED_ROWS, vocabularySize - first);
    const rows = new Matrix(count, dimensions, table.trained()[0]!.runtime);
    table.rows(
      Int32Array.from({ length: count }, (_, i) => first + i),
      rows,
    );
    data.set(rows.data, first * dimensions);
    rows.free();
  }
  return data;
}
