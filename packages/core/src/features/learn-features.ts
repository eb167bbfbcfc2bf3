/**
 * Learns features from data in one pass. It counts the words of each table, and computes the mean and the deviation, or
 * the quantiles, of each feature of numbers.
 *
 * Memory grows with the distinct words of a table (their bytes and some 20 bytes each) and not with the rows. Words are counted
 * exactly; for quantiles see value-sample.ts. The same rows with the same seed give the same features.
 */
import { checkArgument, ITERABLE } from '../checks/arguments.ts';
import { nearestName } from '../checks/nearest-name.ts';
import { shown } from '../checks/numbers.ts';
import { NUMBER, OBJECT, optionsCheck } from '../checks/options.ts';
import { OptionError, ShapeError } from '../errors/errors.ts';
import { Generator } from '../random/generator.ts';
import { checkFeatureSpecs } from './check-spec.ts';
import type { Vocabulary } from './contract.ts';
import { columnOf, FeatureSet, type RawColumns } from './feature-set.ts';
import { HashedVocabulary } from './hashed-vocabulary.ts';
import type { Learner } from './kind.ts';
import { kindOf } from './kinds.ts';
import { LearnedFeature, tableOf } from './learned-feature.ts';
import { Mismatches, NAMED_MAX, valuesOf } from './mismatches.ts';
import type { FeatureSpec, FeatureSpecs } from './spec.ts';
import { WordCounts } from './word-counts.ts';

/** Options of learning. */
export interface LearnFeaturesOptions {
  /** The seed of samples; default 42. */
  seed?: number;
}

const checkOptions = optionsCheck<LearnFeaturesOptions>('learnFeatures', { seed: NUMBER });

/**
 * Learn features from batches of columns, read once.
 *
 * @param specs the features by name, of one tower or of several
 * @param batches raw columns by field; columns that no feature reads are ignored. A batch may lack fields, for example
 * where users and items come from two files, but each field must be in at least one batch
 * @throws {OptionError} when the specs contradict themselves
 * @throws {FeatureError} with the first ten values that do not fit the spec and the numbers of their rows, which are
 * counted over the batches that have the field
 */
export async function learnFeatures<const S extends FeatureSpecs>(
  specs: S,
  batches: Iterable<RawColumns> | AsyncIterable<RawColumns>,
  options: LearnFeaturesOptions = {},
): Promise<FeatureSet<S>> {
  const learner = new FeatureLearner(specs, options);
  checkArgument('batches', batches, ITERABLE);
  for await (const batch of batches) learner.add(batch);
  return learner.finish();
}

interface Learning {
  readonly name: string;
  readonly spec: FeatureSpec;
  readonly field: string;
  readonly besideField: string | undefined;
  readonly learner: Learner;
  rows: number;
}

/** Learns features batch by batch. */
export class FeatureLearner<const S extends FeatureSpecs = FeatureSpecs> {
  readonly #learning: readonly Learning[];
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #mismatches = new Mismatches();
  readonly #columnNames = new Set<string>();

  /** @throws {OptionError} when the specs contradict themselves */
  constructor(specs: S, options: LearnFeaturesOptions = {}) {
    const { seed = 42 } = checkOptions(options);
    const entries = Object.entries(checkFeatureSpecs(specs));
    const generator = new Generator(seed).fork('features');
    this.#tables = tablesOf(entries);
    this.#learning = entries.map(([name, spec]) => {
      const kind = kindOf(spec);
      const counts = this.#tables.get(tableOf(name, spec))?.counts;
      const context = { countWord: (word: string) => counts?.add(word), generator: generator.fork(name) };
      const learner = kind.learner(spec, context);
      return { name, spec, field: spec.field ?? name, besideField: kind.besideField(spec), learner, rows: 0 };
    });
  }

  /**
   * Learn from the next rows.
   *
   * @throws {ShapeError} when the columns are not of one length
   * @throws {FeatureError} when ten values or more did not fit the spec so far
   */
  add(columns: RawColumns): void {
    checkArgument('columns', columns, OBJECT);
    for (const name of Object.keys(columns)) this.#columnNames.add(name);
    for (const each of this.#learning) {
      const values = columnOf(columns, each.field);
      if (values === undefined) continue;
      const beside = each.besideField === undefined ? undefined : columnOf(columns, each.besideField);
      if (beside !== undefined && beside.length !== values.length) {
        const [wanted, got] = [values.length, beside.length];
        throw new ShapeError(`${each.besideField}: expected ${wanted} rows as ${each.field} has, got ${got}`);
      }
      each.learner.add(valuesOf(each.name, { values, beside, nowMs: undefined }, each.rows, this.#mismatches));
      each.rows += values.length;
    }
    if (this.#mismatches.count >= NAMED_MAX) this.#mismatches.throwIfAny();
  }

  /**
   * The features with all that they learned.
   *
   * @throws {FeatureError} when a value did not fit the spec, or no batch had the column of a feature
   */
  finish(): FeatureSet<S> {
    for (const { name, field, rows } of this.#learning) {
      if (rows > 0) continue;
      const near = nearestName(field, this.#columnNames);
      const hint = near === undefined || near === field ? '' : `; nearest is ${shown(near)}`;
      const got = this.#columnNames.has(field) ? 'one without rows' : 'none';
      this.#mismatches.add(name, undefined, `expected a column ${shown(field)} in the data, got ${got}${hint}`);
    }
    this.#mismatches.throwIfAny();
    const vocabularies = new Map([...this.#tables].map(([name, table]) => [name, table.finish()]));
    const features = this.#learning.map(({ name, spec, learner }) => {
      const vocabulary = kindOf(spec).hasWords ? vocabularies.get(tableOf(name, spec)) : undefined;
      return new LearnedFeature({ name, spec, learned: learner.finish(), vocabulary });
    });
    return new FeatureSet<S>(features);
  }
}

/** The words of one embedding table, of one feature or of several. */
interface Table {
  /** Undefined where words are hashed. */
  readonly counts: WordCounts | undefined;
  finish(): Vocabulary;
}

/** The options of a table. Any of its features may give one; two features may not give different values. */
const TABLE_OPTIONS = ['minCount', 'maxTokens', 'numOovIndices', 'numBins', 'dimensions', 'embedding'] as const;

function tablesOf(entries: readonly (readonly [string, FeatureSpec])[]): Map<string, Table> {
  const sharing = new Map<string, [string, FeatureSpec][]>();
  for (const [name, spec] of entries) {
    if (!hasTable(spec)) continue;
    const table = tableOf(name, spec);
    const features = sharing.get(table) ?? [];
    features.push([name, spec]);
    sharing.set(table, features);
  }
  const tables = new Map<string, Table>();
  for (const [name, features] of sharing) {
    const specs = features.map(([, spec]) => spec);
    const options = mergedOptions(name, specs);
    if (specs.every((spec) => kindOf(spec).hasWords)) {
      tables.set(
        name,
        wordTable(
          options,
          specs.some(({ missing }) => missing === 'own'),
        ),
      );
    } else if (specs.length > 1 && !areSameTimes(specs)) {
      const names = features.map(([each]) => each).join(', ');
      throw new OptionError(`table: expected features whose ids mean the same to share ${shown(name)}, got ${names}`);
    }
  }
  return tables;
}

/** False for features of floats. */
function hasTable(spec: FeatureSpec): boolean {
  if (spec.type === 'number') return spec.transform === 'quantiles';
  return spec.type !== 'vector' && !(spec.type === 'time' && spec.part === 'age');
}

/** True for hours alone, or weekdays alone, all with or all without a row for missing times. */
function areSameTimes(specs: readonly FeatureSpec[]): boolean {
  const kinds = specs.map((spec) => (spec.type === 'time' ? `${spec.part} ${spec.missing ?? 'error'}` : undefined));
  return kinds[0] !== undefined && new Set(kinds).size === 1;
}

type TableOptions = Partial<Record<(typeof TABLE_OPTIONS)[number], unknown>>;

/**
 * The options of a table, collected from its features.
 *
 * @throws {OptionError} when two features give different values
 */
function mergedOptions(table: string, specs: readonly FeatureSpec[]): TableOptions {
  const merged: TableOptions = {};
  for (const option of TABLE_OPTIONS) {
    const given = specs.map((spec) => Reflect.get(spec, option) as unknown).filter((value) => value !== undefined);
    const distinct = [...new Set(given.map((value) => JSON.stringify(value)))];
    if (distinct.length > 1) {
      throw new OptionError(
        `${option}: expected one value for the table ${shown(table)}, got ${distinct.join(' and ')}`,
      );
    }
    if (given.length > 0) merged[option] = given[0];
  }
  return merged;
}

function wordTable(options: TableOptions, hasMissing: boolean): Table {
  const {
    minCount = 1,
    maxTokens = Number.MAX_SAFE_INTEGER,
    numOovIndices = 1,
    numBins,
  } = options as Record<(typeof TABLE_OPTIONS)[number], number | undefined>;
  if (numBins !== undefined) {
    return { counts: undefined, finish: () => new HashedVocabulary(numBins, hasMissing) };
  }
  const counts = new WordCounts();
  const shape = { minCount, maxTokens, numOovIndices, hasMissing };
  return { counts, finish: () => counts.vocabulary(shape) };
}
