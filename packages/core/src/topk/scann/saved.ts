/** A ScaNN index as a saved object: its parts are written as they are in memory and read back without conversion. */
import { ShortlistError } from '../../errors/errors.ts';
import type { Part } from '../../format/part.ts';
import type { Saved } from '../../format/saved.ts';
import type { SettingsReader } from '../../format/settings.ts';
import type { Identifier } from '../contract.ts';
import type { Identifiers } from '../identifiers.ts';
import { loadIdentifiers, saveIdentifiers } from '../saved-identifiers.ts';
import type { Calibration } from './calibration/calibration.ts';
import { GROUP_SLOTS, type LeafParts, type LeafShape, Leaves, partBytes } from './leaves.ts';
import { type ScannOptions, type ScannSettings, scannSettings } from './options.ts';

/** Upper bound of every number of a shape; an index with a larger one would not fit the linear memory. */
const NUMBER_MAX = 2 ** 31;
/** Numbers checked in a step, some tenths of a millisecond. */
const CHECKED_AT_ONCE = 1 << 17;
const INTEGERS = [
  'dimensions',
  'leaves',
  'upperGroups',
  'productBlocks',
  'blockWidth',
  'correctionBlocks',
  'correctionKind',
  'groups',
  'capacity',
  'builtGroups',
  'rowKind',
  'places',
  'copies',
] as const;
const FLAGS = ['isSquared', 'hasBounds', 'hasMean'] as const;

/** A loaded index. */
export interface LoadedScann<I extends Identifier> {
  settings: ScannSettings;
  leaves: Leaves;
  identifiers: Identifiers<I>;
  /** Candidates that were not deleted. */
  size: number;
  /** The measurements of the build. */
  calibration: Calibration | undefined;
}

/** The saved form. */
export function savedLive<I extends Identifier>(
  settings: ScannSettings,
  { leaves, identifiers, size, calibration }: Omit<LoadedScann<I>, 'settings'>,
): Saved {
  const { shape } = leaves;
  return {
    kind: 'scann',
    settings: {
      options: { ...settings },
      shape: { ...shape },
      size,
      rows: identifiers.size,
      ...(calibration && { calibration: { ...calibration } }),
    },
    sections: Object.entries(leaves.bytes()).map(([name, bytes]) => ({ name, bytes })),
    parts: { identifiers: saveIdentifiers(identifiers) },
  };
}

/**
 * Read an index back.
 *
 * @throws {FormatError} when settings and sections do not fit together
 */
export function readScann<I extends Identifier>(part: Part): LoadedScann<I> {
  const { settings: reader, runtime } = part;
  const rows = reader.integer('rows', { max: NUMBER_MAX });
  const size = reader.integer('size', { max: rows });
  const options = reader.object('options').whole() as ScannOptions<unknown>;
  let settings: ScannSettings;
  try {
    const { numReorderingCandidates, ...others } = options;
    settings = scannSettings(
      options.reorder === false ? others : { ...others, numReorderingCandidates: numReorderingCandidates! },
    );
  } catch (error) {
    if (error instanceof ShortlistError) throw reader.error('options', error.message);
    throw error;
  }
  const from = reader.object('shape');
  const shape: LeafShape = {
    ...valuesOf(INTEGERS, (key) => from.integer(key, { max: NUMBER_MAX })),
    ...valuesOf(FLAGS, (key) => from.boolean(key)),
    // Files of the first format version do not have this field.
    hasRotation: from.has('hasRotation') && from.boolean('hasRotation'),
    groupBound: from.number('groupBound', { min: 0 }),
    eta: from.number('eta', { min: 1 }),
    builtDistance: from.number('builtDistance', { min: 0 }),
  };
  if (shape.groups > shape.capacity || shape.builtGroups > shape.groups || shape.rowKind > 2) {
    throw from.error(
      'groups',
      `expected builtGroups ≤ groups ≤ capacity and rowKind ≤ 2, got ${shape.builtGroups}, ${shape.groups}, ${shape.capacity} and ${shape.rowKind}`,
    );
  }
  const parts: LeafParts = Object.fromEntries(
    Object.entries(partBytes(shape)).map(([name, bytes]) => [name, part.memory(name, bytes)]),
  );
  const identifiers = loadIdentifiers(part.part('identifiers'), rows) as Identifiers<I>;
  const calibration = reader.has('calibration') ? readCalibration(reader.object('calibration')) : undefined;
  part.checkLater(checkNumbers(part, shape, parts, rows));
  return { settings, leaves: new Leaves(runtime, shape, parts), identifiers, size, calibration };
}

function readCalibration(from: SettingsReader): Calibration {
  const share = { min: 0, max: 1 };
  return {
    recall: from.number('recall', share),
    targetRecall: from.number('targetRecall', share),
    ...valuesOf(['k', 'queries', 'numLeavesToSearch', 'numReorderingCandidates'] as const, (key) =>
      from.integer(key, { min: 1, max: NUMBER_MAX }),
    ),
  };
}

/**
 * Check that every row number, place and group number which the kernels read is in range. @throws {FormatError} naming
 * the part
 */
function* checkNumbers(part: Part, shape: LeafShape, parts: LeafParts, rows: number): Generator<void, void> {
  const { leaves, groups, builtGroups, upperGroups, capacity } = shape;
  const slots = parts.rowOf!.integers(capacity * GROUP_SLOTS);
  yield* within(slots, -1, rows, () => part.error('rowOf', `expected rows below ${rows}`));
  const valid = parts.valid!.integers(capacity);
  for (let slot = 0; slot < slots.length; slot++) {
    if (slots[slot] === -1 && (valid[slot >> 5]! >>> (slot & 31)) & 1) {
      throw part.error('valid', `expected no bit where there is no row, got one for slot ${slot}`);
    }
    if (slot % CHECKED_AT_ONCE === 0) yield;
  }
  if (shape.places > 0) {
    const places = parts.placeOf!.integers(slots.length);
    yield* within(places, 0, shape.places, () => part.error('placeOf', `expected places below ${shape.places}`));
  }
  if (leaves === 0) return;
  if (!isAscending(parts.leafGroups!.integers(leaves + 1), builtGroups)) {
    throw part.error('leafGroups', `expected groups of leaves in order up to ${builtGroups}`);
  }
  yield;
  // A chain goes from newer to older groups, so it ends.
  const next = parts.nextGroup!.integers(capacity);
  const heads = parts.leafExtra!.integers(leaves);
  const noChain = (): Error => part.error('nextGroup', 'expected chains of groups that end');
  yield* within(heads, -1, groups, noChain);
  for (let group = 0; group < next.length; group++) {
    if (next[group]! < -1 || next[group]! >= group) throw noChain();
    if (group % CHECKED_AT_ONCE === 0) yield;
  }
  if (upperGroups > 0 && !isAscending(parts.upperLeaves!.integers(upperGroups + 1), leaves)) {
    throw part.error('upperLeaves', `expected leaves of groups in order up to ${leaves}`);
  }
  if (shape.hasBounds) {
    const built = parts.leafGroups!.integers(leaves + 1);
    const quads = parts.leafQuads!.integers(leaves + 1);
    const fit = quads.every(
      (quad, l) => l === 0 || quad - quads[l - 1]! === Math.ceil((built[l]! - built[l - 1]!) / 4),
    );
    if (!fit || quads[0] !== 0) throw part.error('leafQuads', 'expected a bound for each group');
  }
}

/** Check that all numbers are at least `least` and below `end`. */
function* within(numbers: Int32Array, least: number, end: number, error: () => Error): Generator<void, void> {
  for (let i = 0; i < numbers.length; i++) {
    if (numbers[i]! < least || numbers[i]! >= end) throw error();
    if (i % CHECKED_AT_ONCE === 0) yield;
  }
}

/** An object with a value for each key. */
function valuesOf<K extends string, V>(keys: readonly K[], read: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, read(key)])) as Record<K, V>;
}

function isAscending(numbers: Int32Array, last: number): boolean {
  return (
    numbers[0] === 0 &&
    numbers[numbers.length - 1] === last &&
    numbers.every((value, i) => i === 0 || value >= numbers[i - 1]!)
  );
}
