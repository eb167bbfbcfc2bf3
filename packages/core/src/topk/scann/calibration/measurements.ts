/**
 * The measurements of a build on its own candidates. The module of one adds it here when it is loaded, so that a
 * bundler leaves its code out of a program that does not use what the module exports.
 */

import type { Centroids } from '../../../clustering/centroids.ts';
import type { Progress } from '../../../clustering/k-means.ts';
import type { Rotation } from '../../../quantization/rotation.ts';
import type { Identifier } from '../../contract.ts';
import type { CodedRows } from '../build/coded-rows.ts';
import type { CodeErrors, RowLoss } from '../leaves.ts';
import type { ReorderRows, ScannSettings } from '../settings.ts';
import type { LiveIndex } from '../update/live-index.ts';
import type { Calibration } from './calibration.ts';

/** Chooses search settings for a target recall (calibrate.ts). */
export interface RecallMeasurement {
  /** Calibrate an index with leaves. */
  calibrate<I extends Identifier>(
    live: LiveIndex<I>,
    settings: ScannSettings,
    targetRecall: number,
  ): Generator<Progress, Calibration>;
  /** The note of `stats()`. */
  noteOf(measured: Calibration): string;
}

/** Chooses the number format of rows (row-format.ts). */
export interface RowMeasurement {
  /** Convert the rows of an index in one memory to the format that its settings ask to choose. */
  choose<I extends Identifier>(live: LiveIndex<I>, settings: ScannSettings): void;
  /** The note of `stats()`. */
  noteOf(reorder: ReorderRows | false, loss: RowLoss): string;
}

/** The rotation of the coded rows, and the blocks of their codes. */
export interface RotationChoice {
  /** Undefined: rows are not rotated. */
  rotation: Rotation | undefined;
  /** Dimensions of a block of the codes. */
  blockWidth: number;
  /** The measurement after which the build chose. Absent: it measured none. */
  codeErrors?: CodeErrors;
}

/** Chooses a rotation (rotation-choice.ts). */
export interface RotationMeasurement {
  /** The choice for rows whose centroids are known. */
  choose(coded: CodedRows, centroids: Centroids, settings: ScannSettings, total: number): RotationChoice;
  /** The note of `stats()`. */
  noteOf(errors: CodeErrors, isRotated: boolean, blockWidth: number): string;
}

/** The measurements whose code the program has. */
export const MEASUREMENTS: { recall?: RecallMeasurement; rows?: RowMeasurement; rotation?: RotationMeasurement } = {};
