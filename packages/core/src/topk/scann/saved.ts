/** A ScaNN index as a saved object: its parts are written as they are in memory and read back without conversion. */
import { checkOneOf } from '../../checks/numbers.ts';
import { OptionError, ShortlistError } from '../../errors/errors.ts';
import type { Part } from '../../format/part.ts';
import type { Saved, SavedSection } from '../../format/saved.ts';
import type { SettingsReader } from '../../format/settings.ts';
import { balancedPca } from '../../quantization/pca.ts';
import type { Identifier } from '../contract.ts';
import type { Identifiers } from '../identifiers.ts';
import { loadIdentifiers, saveIdentifiers } from '../saved-identifiers.ts';
import { recallTarget } from './calibration/calibrate.ts';
import type { Calibration } from './calibration/calibration.ts';
import { measuredRotation } from './calibration/rotation-choice.ts';
import { measuredRows } from './calibration/row-format.ts';
import { fileRows } from './file-rows.ts';
import { LeafSet } from './leaf-set.ts';
import { type CodeErrors, codedDimensions, type LeafShape, Leaves, partBytes, type RowLoss } from './leaves.ts';
import { type ScannOptions, scannSettings } from './options.ts';
import { checkNumbers, loadLeafParts, sectionsOf, sectionsOfSplit } from './saved-leaves.ts';
import {
  loadSegments,
  type SegmentToSave,
  saveSegments,
  segmentsToSave,
  splitHead,
} from './segments/saved-segments.ts';
import { segmentsOf } from './segments/segments.ts';
import { reorderOf, type ScannSettings } from './settings.ts';

/** Upper bound of every number of a shape: rows, slots and places are int32. */
const NUMBER_MAX = 2 ** 31;
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
  leaves: LeafSet;
  identifiers: Identifiers<I>;
  /** Candidates that were not deleted. */
  size: number;
  /** The measurements of the build. */
  calibration: Calibration | undefined;
}

/** The content of an index to save. */
interface ScannToSave<I extends Identifier> extends Pick<LoadedScann<I>, 'identifiers' | 'size' | 'calibration'> {
  /** The index in one memory, or the head. */
  head: Leaves;
  sections: readonly SavedSection[];
  /** Undefined for an index in one memory. */
  segments: readonly SegmentToSave[] | undefined;
}

/** The saved form. */
export function savedLive<I extends Identifier>(
  settings: ScannSettings,
  { leaves, identifiers, size, calibration }: Omit<LoadedScann<I>, 'settings'>,
): Saved {
  const { head } = leaves;
  const [first] = leaves.segments;
  // An index in one memory whose rows stay in a file is a head and one segment.
  const isSplit = !leaves.isWhole && first!.runtime === head.runtime;
  const segments = leaves.isWhole || isSplit ? undefined : segmentsToSave(leaves);
  const sections = isSplit ? sectionsOfSplit(head, first!) : sectionsOf(head);
  return savedScann(settings, { head, sections, segments, identifiers, size, calibration });
}

/** The saved form of an index of which some segments may be written later. */
export function savedScann<I extends Identifier>(
  settings: ScannSettings,
  { head, sections, segments, identifiers, size, calibration }: ScannToSave<I>,
): Saved {
  const { rowLoss, codeErrors, ...numbers } = head.shape;
  return {
    kind: 'scann',
    settings: {
      options: { ...settings, reorder: reorderOf(settings, head.shape.dimensions) },
      // JSON has no infinity, which a distance becomes where its squares overflow.
      shape: {
        ...numbers,
        builtDistance: Number.isFinite(numbers.builtDistance) ? numbers.builtDistance : Number.MAX_VALUE,
        ...(rowLoss && { rowLoss: { ...rowLoss } }),
        ...(codeErrors && { codeErrors: { ...codeErrors } }),
      },
      ...(segments && { segments: segments.length }),
      size,
      rows: identifiers.size,
      ...(calibration && { calibration: { ...calibration } }),
    },
    sections,
    parts: { ...(segments && saveSegments(segments)), identifiers: saveIdentifiers(identifiers) },
  };
}

/**
 * Read an index back.
 *
 * @param cacheBytes for rows that stay in a file: the cache of each thread
 * @throws {FormatError} when settings and sections do not fit together
 */
export function readScann<I extends Identifier>(part: Part, cacheBytes: number): LoadedScann<I> {
  const { settings: reader } = part;
  const rows = reader.integer('rows', { max: NUMBER_MAX });
  const size = reader.integer('size', { max: rows });
  const options = reader.object('options').whole() as ScannOptions<unknown> & Pick<ScannSettings, 'segmentBytes'>;
  let settings: ScannSettings;
  try {
    // The names bring the code of the rotation and of the measured format, with which a loaded index is updated and rebuilt.
    checkOneOf('rotation', options.rotation ?? 'none', ['none', balancedPca.name, measuredRotation.name]);
    settings = scannSettings(optionsOf(options));
    checkOneOf('reorder', settings.reorder || 'float32', ['float32', 'bfloat16', 'int8', measuredRows.name]);
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
    ...(from.has('prefix') && {
      prefix: from.integer('prefix', { min: 1, max: NUMBER_MAX }),
      hasUnitPrefix: from.boolean('hasUnitPrefix'),
    }),
    ...(from.has('rowLoss') && { rowLoss: readRowLoss(from.object('rowLoss')) }),
    ...(from.has('codeErrors') && { codeErrors: readCodeErrors(from.object('codeErrors')) }),
  };
  if (shape.groups > shape.capacity || shape.builtGroups > shape.groups || shape.rowKind > 3) {
    throw from.error(
      'groups',
      `expected builtGroups ≤ groups ≤ capacity and rowKind ≤ 3, got ${shape.builtGroups}, ${shape.groups}, ${shape.capacity} and ${shape.rowKind}`,
    );
  }
  from.finish();
  checkShape(from, shape, settings);
  const leaves = reader.has('segments')
    ? loadSegments(part, shape, rows, cacheBytes)
    : loadWhole(part, shape, rows, cacheBytes);
  const identifiers = loadIdentifiers(part.part('identifiers'), rows) as Identifiers<I>;
  const calibration = reader.has('calibration') ? readCalibration(reader.object('calibration')) : undefined;
  return { settings, leaves, identifiers, size, calibration };
}

/** The options of an index with these settings. */
export function optionsOf<Q>({
  segmentBytes,
  numReorderingCandidates,
  ...others
}: ScannOptions<Q> & Pick<ScannSettings, 'segmentBytes'>): ScannOptions<Q> {
  return {
    ...others,
    ...(others.reorder !== false && { numReorderingCandidates: numReorderingCandidates! }),
    ...(segmentBytes !== undefined && { segments: segmentsOf(segmentBytes) }),
  };
}

/** Check the numbers of a shape that the kernels rely on. @throws {FormatError} naming the number */
function checkShape(from: SettingsReader, shape: LeafShape, { dimensionsPerBlock, rotation }: ScannSettings): void {
  const isChosen = rotation === 'auto' && shape.hasRotation && shape.blockWidth >= 1 && shape.blockWidth <= 16;
  const blockWidth = isChosen ? shape.blockWidth : dimensionsPerBlock;
  const { leaves, dimensions, copies, places, upperGroups, correctionKind } = shape;
  const expected: Partial<LeafShape> =
    leaves === 0
      ? { productBlocks: 0, correctionBlocks: 0, copies: 1, places: 0, upperGroups: 0 }
      : {
          blockWidth,
          productBlocks: Math.ceil(codedDimensions(shape) / blockWidth),
          correctionBlocks: Math.min(2, correctionKind),
          copies: places > 0 ? 2 : 1,
        };
  for (const [key, value] of Object.entries(expected)) {
    const found = shape[key as keyof LeafShape];
    if (found !== value) throw from.error(key, `expected ${value}, got ${found}`);
  }
  if (shape.prefix !== undefined && (shape.prefix >= dimensions || leaves === 0)) {
    throw from.error('prefix', `expected less than ${dimensions}, in an index with leaves, got ${shape.prefix}`);
  }
  if (upperGroups > leaves)
    throw from.error('upperGroups', `expected at most ${leaves}, the leaves, got ${upperGroups}`);
  if (leaves > 0 && dimensions === 0)
    throw from.error('dimensions', `expected at least 1 with ${leaves} leaves, got 0`);
  if (copies > 1 && leaves < 2) throw from.error('copies', 'expected 1 with a single leaf, got 2');
}

/** Load the leaves of an index in one memory. */
function loadWhole(part: Part, shape: LeafShape, rows: number, cacheBytes: number): LeafSet {
  const { parts, rows: inFile } = loadLeafParts(part, partBytes(shape));
  part.checkLater(checkNumbers(part, shape, parts, rows));
  if (!inFile) return LeafSet.whole(new Leaves(part.runtime, shape, parts));
  if (shape.leaves === 0) throw new OptionError('rows: expected "memory" for an index without leaves, got "file"');
  return splitHead(parts, shape, part.runtime, fileRows(inFile, cacheBytes));
}

function readCodeErrors(from: SettingsReader): CodeErrors {
  return valuesOf(['none', 'balancedPca'] as const, (key) => from.number(key, { min: 0 }));
}

function readRowLoss(from: SettingsReader): RowLoss {
  return {
    ...valuesOf(['k', 'queries'] as const, (key) => from.integer(key, { min: 1, max: NUMBER_MAX })),
    ...valuesOf(['bfloat16', 'int8'] as const, (key) => from.number(key, { min: 0, max: 1 })),
  };
}

function readCalibration(from: SettingsReader): Calibration {
  const share = { min: 0, max: 1 };
  return {
    recall: from.number('recall', share),
    targetRecall: recallTarget(from.number('targetRecall', share)),
    ...valuesOf(['k', 'queries', 'numLeavesToSearch', 'numReorderingCandidates'] as const, (key) =>
      from.integer(key, { min: 1, max: NUMBER_MAX }),
    ),
  };
}

/** An object with a value for each key. */
function valuesOf<K extends string, V>(keys: readonly K[], read: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, read(key)])) as Record<K, V>;
}
