/**
 * The features of a tower in a fixed order. A set encodes raw rows or columns, and saves everything that its features
 * learned; a vocabulary that several features share is saved once.
 */
import { checkArgument, WORDS } from '../checks/arguments.ts';
import { nearestName } from '../checks/nearest-name.ts';
import { shown } from '../checks/numbers.ts';
import { LIST, NUMBER, OBJECT, optionsCheck, optionType, STRING } from '../checks/options.ts';
import { StringLookup } from '../embeddings/string-lookup.ts';
import { OptionError } from '../errors/errors.ts';
import { type Loaders, loadPart, type Part } from '../format/part.ts';
import type { Saved } from '../format/saved.ts';
import type { SettingsReader } from '../format/settings.ts';
import { checkFeatureSpecs } from './check-spec.ts';
import type { EncodeContext, Feature, FeatureColumn, Vocabulary } from './contract.ts';
import { HashedVocabulary } from './hashed-vocabulary.ts';
import { kindOf } from './kinds.ts';
import { LearnedFeature, tableOf } from './learned-feature.ts';
import { Mismatches } from './mismatches.ts';
import type { FeatureSpecs } from './spec.ts';

/** Raw values of one row by field, or the value itself where all features read one field. */
export type RawRow = unknown;

/** Raw values of some rows, by field. */
export type RawColumns = Readonly<Record<string, ArrayLike<unknown>>>;

/** The clock of a call. */
export type EncodeOptions = Pick<EncodeContext, 'nowMs' | 'firstRow'>;

const checkEncode = optionsCheck<EncodeOptions>('FeatureSet.encode', { nowMs: NUMBER, firstRow: NUMBER });

const VOCABULARIES: Loaders<Vocabulary> = {
  'string-lookup': StringLookup.load,
  'hashed-vocabulary': HashedVocabulary.load,
};

/** Features that have learned all that they need; S are their specs, from which the type of a row is inferred (`RawRowOf`). */
export class FeatureSet<S extends FeatureSpecs = FeatureSpecs> {
  readonly features: readonly Feature[];
  /**
   * Returns the present time in milliseconds since 1970 for calls without `nowMs`; default: each feature takes the
   * newest time of the data that it learned from.
   */
  clock: (() => number) | undefined;
  readonly #features: readonly LearnedFeature[];

  constructor(features: readonly LearnedFeature[]) {
    this.#features = features;
    this.features = features;
  }

  /** The specs by name, as they were written. */
  get specs(): S {
    return Object.fromEntries(this.features.map(({ name, spec }) => [name, spec])) as S;
  }

  /** The keys of a row that the features read, each once. */
  get fields(): string[] {
    const fields = this.features.flatMap(({ field, besideField = [] }) => [field].concat(besideField));
    return [...new Set(fields)];
  }

  /**
   * A set of the named features, in the given order, which shares the vocabularies of this set.
   *
   * @throws {OptionError} for an unknown name
   */
  pick<N extends keyof S & string>(names: readonly N[]): FeatureSet<Pick<S, N>> {
    return new FeatureSet<Pick<S, N>>(checkArgument('names', names, WORDS).map((name) => this.#named(name)));
  }

  /** The feature of a name. @throws {OptionError} when there is none */
  get(name: string): Feature {
    return this.#named(name);
  }

  #named(name: string): LearnedFeature {
    checkArgument('name', name, STRING);
    const found = this.#features.find((feature) => feature.name === name);
    if (found) return found;
    const known = this.#features.map((feature) => feature.name);
    const near = nearestName(name, known);
    const expected = near === undefined ? `one of ${known.join(', ')}` : `a known feature, nearest is ${near}`;
    throw new OptionError(`features: expected ${expected}, got ${shown(name)}`);
  }

  /**
   * Encode raw rows: one column for each feature, in the order of the features. If all features read the same field, a
   * row may be the value itself.
   *
   * @throws {FeatureError} with the first ten values that do not fit the spec
   */
  encode(rows: ArrayLike<RawRow>, options: EncodeOptions = {}): FeatureColumn[] {
    checkArgument('rows', rows, LIST);
    const { fields } = this;
    const mismatches = new Mismatches();
    const { firstRow = 0 } = checkEncode(options);
    const columns = fields.map((field) => fieldOf(rows, field, fields.length === 1));
    for (let row = 0; row < rows.length; row++) {
      if (fields.length === 1 && !isNamed(rows[row])) continue;
      if (!isNamed(rows[row]))
        mismatches.add('features', firstRow + row, `expected an object, got ${shown(rows[row])}`);
      else this.#checkNames(rows[row] as object, firstRow + row, mismatches);
    }
    mismatches.throwIfAny();
    return this.encodeColumns(Object.fromEntries(fields.map((field, i) => [field, columns[i]!])), options);
  }

  /** Refuse a row that has a misspelt name in place of a field: the value would be ignored without a message. */
  #checkNames(row: object, number: number, mismatches: Mismatches): void {
    const { fields } = this;
    let unread: string[] | undefined;
    for (const { name, field } of this.#features) {
      if (Object.hasOwn(row, field)) continue;
      // A name that contains the other one is mostly another attribute: price and price_currency.
      unread ??= Object.keys(row).filter((key) => !fields.includes(key));
      const like = unread.filter((key) => !key.includes(field) && !field.includes(key));
      const near = like.length === 0 ? undefined : nearestName(field, like);
      if (near !== undefined)
        mismatches.add(name, number, `expected a value for ${shown(field)}, got one for ${shown(near)}`);
    }
  }

  /**
   * Encode raw columns: one column for each feature, in the order of the features.
   *
   * @throws {FeatureError} with the first ten values that do not fit the spec, or the columns that are missing
   */
  encodeColumns(columns: RawColumns, options: EncodeOptions = {}): FeatureColumn[] {
    const { nowMs = this.clock?.(), firstRow } = checkEncode(options);
    const mismatches = new Mismatches();
    const { rows } = checkColumns(columns, this.#features, mismatches);
    mismatches.throwIfAny();
    const encoded = this.#features.map((feature) => {
      const { field, besideField } = feature;
      const values = columnOf(columns, field) ?? new Array(rows).fill(undefined);
      const beside = besideField === undefined ? undefined : columnOf(columns, besideField);
      return feature.encodeInto(mismatches, values, { beside, nowMs, firstRow });
    });
    mismatches.throwIfAny();
    return encoded;
  }

  /** The saved form of the features, their vocabularies included. */
  save(): Saved {
    return saveFeatureSets([this]);
  }

  /** Load one saved set. @throws {FormatError} when its parts do not fit together */
  static load(part: Part): FeatureSet {
    const sets = loadFeatureSets(part);
    if (sets.length !== 1) throw part.refusal(`sets: expected one, got ${sets.length}`);
    return sets[0]!;
  }

  /** The features with all that they learned; for `saveFeatureSets`. */
  get learned(): readonly LearnedFeature[] {
    return this.#features;
  }
}

const SETS = optionType(
  'a list of FeatureSets',
  (value) => Array.isArray(value) && value.every((set) => set instanceof FeatureSet),
);

/** The saved form of several sets, such as those of both towers: a vocabulary that they share is saved once. */
export function saveFeatureSets(sets: readonly FeatureSet[]): Saved {
  const vocabularies = new Map<Vocabulary, string>();
  for (const { learned } of checkArgument('sets', sets, SETS)) {
    for (const { vocabulary } of learned) {
      if (vocabulary && !vocabularies.has(vocabulary)) vocabularies.set(vocabulary, `vocabulary${vocabularies.size}`);
    }
  }
  const settings = {
    sets: sets.map(({ learned: features }) => ({
      features: features.map(({ name, spec, learned, vocabulary }) => ({
        name,
        spec: JSON.parse(JSON.stringify(spec)),
        learned,
        vocabulary: vocabulary === undefined ? null : vocabularies.get(vocabulary)!,
      })),
    })),
  };
  const parts = Object.fromEntries([...vocabularies].map(([vocabulary, name]) => [name, vocabulary.save()]));
  return { kind: 'features', settings, sections: [], parts };
}

/** Load saved sets. @throws {FormatError} when their parts do not fit together */
export function loadFeatureSets(part: Part): FeatureSet[] {
  const vocabularies = new Map(
    part.partNames().map((name): [string, Vocabulary] => [name, loadPart(part.part(name), VOCABULARIES)]),
  );
  return part.settings.objects('sets').map((set) => {
    const features = set.objects('features').map((reader) => loadFeature(reader, vocabularies));
    set.finish();
    return new FeatureSet(features);
  });
}

function loadFeature(reader: SettingsReader, vocabularies: ReadonlyMap<string, Vocabulary>): LearnedFeature {
  const name = reader.string('name');
  const specs: FeatureSpecs = checkFeatureSpecs({ [name]: reader.json('spec') });
  const spec = specs[name]!;
  const kind = kindOf(spec);
  const learned = reader.object('learned');
  const loaded = kind.load(spec, learned);
  learned.finish();
  const vocabulary = reader.json('vocabulary') === null ? undefined : vocabularies.get(reader.string('vocabulary'));
  if ((vocabulary !== undefined) !== kind.hasWords) {
    throw reader.error('vocabulary', kind.hasWords ? 'expected the name of a vocabulary' : 'expected null');
  }
  if (vocabulary && spec.missing === 'own' && vocabulary.missingId === undefined) {
    throw reader.error('vocabulary', `expected an id of missing values for ${tableOf(name, spec)}, got none`);
  }
  reader.finish();
  return new LearnedFeature({ name, spec, learned: loaded, vocabulary });
}

/** Check that there is a column for each field, and that all are of one length. */
export function checkColumns(
  columns: RawColumns,
  features: readonly Pick<Feature, 'name' | 'field' | 'besideField' | 'spec'>[],
  mismatches: Mismatches,
): { rows: number } {
  const names = Object.keys(checkArgument('columns', columns, OBJECT));
  const used = new Set(features.flatMap(({ field, besideField = [] }) => [field].concat(besideField)));
  const rows = columnOf(columns, [...used].find((field) => Object.hasOwn(columns, field)) ?? '')?.length ?? 0;
  for (const { name, field, besideField, spec } of features) {
    for (const each of besideField === undefined ? [field] : [field, besideField]) {
      const column = columnOf(columns, each);
      // Ages fall back on the time of the call.
      const isNeeded = spec.missing !== 'own' && !(spec.type === 'time' && each === besideField);
      if (column === undefined && isNeeded) {
        const near = nearestName(
          each,
          names.filter((other) => !used.has(other)),
        );
        const hint = near === undefined ? '' : `; nearest is ${shown(near)}`;
        mismatches.add(name, undefined, `expected a column ${shown(each)}, got none${hint}`);
      } else if (column !== undefined && column.length !== rows) {
        mismatches.add(name, undefined, `expected ${rows} rows in column ${shown(each)}, got ${column.length}`);
      }
    }
  }
  return { rows };
}

/** The column of a field. Only own properties count, because a field may be called `constructor`. */
export function columnOf(columns: RawColumns, field: string): ArrayLike<unknown> | undefined {
  return Object.hasOwn(columns, field) ? columns[field] : undefined;
}

function fieldOf(rows: ArrayLike<RawRow>, field: string, isOnly: boolean): unknown[] {
  return Array.from(rows, (row) => {
    if (!isNamed(row)) return isOnly ? row : undefined;
    return Object.hasOwn(row, field) ? (row as Readonly<Record<string, unknown>>)[field] : undefined;
  });
}

/** True for an object of values by field; false for a value. */
function isNamed(row: unknown): row is object {
  return (
    typeof row === 'object' && row !== null && !Array.isArray(row) && !ArrayBuffer.isView(row) && !(row instanceof Date)
  );
}
