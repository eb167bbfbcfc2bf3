/** Checks a spec of features, as TypeScript or JSON gave it: names of options, their types and ranges, and contradictions. */

import { nearestName } from '../checks/nearest-name.ts';
import { checkInteger, checkNumber, checkOneOf, shown } from '../checks/numbers.ts';
import { BOOLEAN, LIST, NUMBER, OBJECT, type OptionTypes, optionsCheck, required, STRING } from '../checks/options.ts';
import { OptionError } from '../errors/errors.ts';
import { checkAttention } from './attention.ts';
import type {
  CategoricalFeatureSpec,
  FeatureSpec,
  FeatureSpecs,
  ListFeatureSpec,
  NumberFeatureSpec,
  TextFeatureSpec,
  TimeFeatureSpec,
  VectorFeatureSpec,
} from './spec.ts';

const ANY_FEATURE = { type: required(STRING), field: STRING, missing: STRING, dimensions: NUMBER };
const EMBEDDED = { ...ANY_FEATURE, table: STRING, embedding: OBJECT };
const WORDS = { ...EMBEDDED, minCount: NUMBER, maxTokens: NUMBER, numOovIndices: NUMBER, numBins: NUMBER };

const CATEGORICAL: OptionTypes<CategoricalFeatureSpec> = WORDS;
const LISTS: OptionTypes<ListFeatureSpec> = {
  ...WORDS,
  of: STRING,
  combiner: STRING,
  attention: OBJECT,
  maxLength: NUMBER,
  keep: STRING,
  weights: STRING,
  recencyDecay: NUMBER,
};
const NUMBERS: OptionTypes<NumberFeatureSpec> = { ...EMBEDDED, transform: STRING, numBins: NUMBER };
const TIMES: OptionTypes<TimeFeatureSpec> = {
  ...EMBEDDED,
  part: required(STRING),
  unit: STRING,
  utcOffsetMinutes: NUMBER,
  now: STRING,
};
const TEXTS: OptionTypes<TextFeatureSpec> = {
  ...WORDS,
  ngrams: NUMBER,
  characterNgrams: LIST,
  combiner: STRING,
  maxLength: NUMBER,
};
const VECTORS: OptionTypes<VectorFeatureSpec> = { ...ANY_FEATURE, length: required(NUMBER), normalize: BOOLEAN };

/** The options of each type of feature. */
export const FEATURE_OPTIONS: Readonly<Record<FeatureSpec['type'], OptionTypes<FeatureSpec>>> = {
  string: CATEGORICAL,
  integer: CATEGORICAL,
  bag: LISTS,
  sequence: LISTS,
  number: NUMBERS,
  time: TIMES,
  text: TEXTS,
  vector: VECTORS,
} as Readonly<Record<FeatureSpec['type'], OptionTypes<FeatureSpec>>>;

/** The largest value of an option that counts elements, n-grams or bins: no array holds more. */
const COUNT_MAX = 2 ** 31 - 1;
/** No place on earth is further from UTC than 14 hours. */
const UTC_OFFSET_MINUTES_MAX = 14 * 60;

/** Checks the value of an option, whose type was checked before. */
type RangeCheck = (name: string, value: unknown) => void;

const atLeast =
  (min: number, max: number = COUNT_MAX): RangeCheck =>
  (name, value) => {
    checkInteger(name, value as number, min, max);
  };
const oneOf =
  (...allowed: string[]): RangeCheck =>
  (name, value) => {
    checkOneOf(name, value as string, allowed);
  };

const RANGES: Readonly<Record<string, RangeCheck>> = {
  missing: oneOf('error', 'own'),
  dimensions: atLeast(1),
  minCount: atLeast(1),
  maxTokens: atLeast(1),
  numOovIndices: atLeast(0),
  numBins: atLeast(2),
  of: oneOf('string', 'integer'),
  combiner: oneOf('sum', 'mean', 'sqrtn'),
  maxLength: atLeast(1),
  keep: oneOf('first', 'last'),
  transform: oneOf('normalize', 'log', 'quantiles', 'none'),
  part: oneOf('hour', 'weekday', 'age'),
  unit: oneOf('seconds', 'milliseconds'),
  utcOffsetMinutes: atLeast(-UTC_OFFSET_MINUTES_MAX, UTC_OFFSET_MINUTES_MAX),
  ngrams: atLeast(1),
  length: atLeast(1),
};

/**
 * Check specs of features and return them unchanged.
 *
 * @throws {OptionError} naming the feature and the option, and for an unknown name the nearest known one
 */
export function checkFeatureSpecs(specs: unknown, title = 'features'): FeatureSpecs {
  if (typeof specs !== 'object' || specs === null || Array.isArray(specs)) {
    throw new OptionError(`${title}: expected an object of features by name, got ${shown(specs)}`);
  }
  const entries = Object.entries(specs);
  if (entries.length === 0) throw new OptionError(`${title}: expected at least one, got none`);
  for (const [name, spec] of entries) checkSpec(`${title}.${name}`, spec);
  return specs as FeatureSpecs;
}

function checkSpec(title: string, spec: unknown): void {
  const type: unknown = typeof spec === 'object' && spec !== null && 'type' in spec ? spec.type : undefined;
  const types = Object.keys(FEATURE_OPTIONS);
  if (typeof spec !== 'object' || spec === null || typeof type !== 'string' || !types.includes(type)) {
    const near = typeof type === 'string' ? nearestName(type, types) : undefined;
    const expected = near === undefined ? `one of ${types.join(', ')}` : `a known type, nearest is ${near}`;
    throw new OptionError(`${title}.type: expected ${expected}, got ${type === undefined ? 'none' : shown(type)}`);
  }
  optionsCheck(title, FEATURE_OPTIONS[type as FeatureSpec['type']])(spec);
  for (const [option, value] of Object.entries(spec)) {
    if (value !== undefined && Object.hasOwn(RANGES, option)) RANGES[option]!(`${title}.${option}`, value);
  }
  checkTogether(title, spec as FeatureSpec);
}

/** Refuse options that contradict each other. */
function checkTogether(title: string, spec: FeatureSpec): void {
  const refuse = (option: string, why: string): never => {
    throw new OptionError(`${title}.${option}: expected none ${why}, got ${shown(Reflect.get(spec, option))}`);
  };
  const given = (...options: string[]): string | undefined =>
    options.find((each) => Reflect.get(spec, each) !== undefined);
  if (spec.type === 'number') {
    const option = spec.transform === 'quantiles' ? undefined : given('numBins', 'table', 'embedding');
    if (option !== undefined) refuse(option, "without transform: 'quantiles'");
    return;
  }
  if (spec.type === 'time') {
    const option = spec.part === 'age' ? given('utcOffsetMinutes', 'table', 'embedding') : given('now');
    if (option !== undefined) refuse(option, `with part: '${spec.part}'`);
    return;
  }
  if (spec.type === 'vector') return;
  const learned = spec.numBins === undefined ? undefined : given('minCount', 'maxTokens', 'numOovIndices');
  if (learned !== undefined) refuse(learned, 'together with numBins');
  if (spec.type === 'text') checkCharacterNgrams(title, spec.characterNgrams);
  else if (spec.type === 'bag' || spec.type === 'sequence') {
    if (spec.type === 'bag' && spec.recencyDecay !== undefined) refuse('recencyDecay', 'for a bag, which has no order');
    const { recencyDecay = 1 } = spec;
    if (recencyDecay <= 0)
      throw new OptionError(`${title}.recencyDecay: expected a number above 0, got ${recencyDecay}`);
    checkNumber(`${title}.recencyDecay`, recencyDecay, 0, 1);
    checkAttention(title, spec);
  }
}

function checkCharacterNgrams(title: string, range: TextFeatureSpec['characterNgrams']): void {
  if (range === undefined) return;
  const [shortest, longest] = range;
  if (
    range.length !== 2 ||
    !Number.isInteger(shortest) ||
    !Number.isInteger(longest) ||
    shortest < 1 ||
    longest < shortest
  ) {
    const got = JSON.stringify([...(range as readonly number[])]);
    throw new OptionError(
      `${title}.characterNgrams: expected [shortest, longest] with 1 ≤ shortest ≤ longest, got ${got}`,
    );
  }
}
