/**
 * Chooses whether the rows of an index are rotated by balanced PCA before they are coded (`rotation: 'auto'`). Rotated
 * rows can have 16 or 8 dimensions in each block of their codes instead of 2, so that a query scans an eighth or a quarter of the
 * bytes, where most of the variance is in few directions; where it is not, such codes are too rough.
 *
 * Both codes are trained on residuals r of a sample. With r̂ for the decoded residual and rows x in place of queries, the
 * error of a code is
 *   error² = mean ⟨x, r − r̂⟩² / mean ⟨x, r⟩²
 * Rows are rotated, with the widest blocks of which this is true, where the error of their codes is not larger than without, and
 * where the scan saves more time than the rotation of a query takes. No clock is read, so the same seed gives the same choice.
 * docs/decisions/rotation-of-wide-vectors.md has the figures.
 */
import type { Centroids } from '../../../clustering/centroids.ts';
import { balancedPca } from '../../../quantization/pca.ts';
import { decodeProduct } from '../../../quantization/product/decode.ts';
import { encodeProduct } from '../../../quantization/product/encode.ts';
import { trainProductCodebook } from '../../../quantization/product/train.ts';
import type { Rotation } from '../../../quantization/rotation.ts';
import { Matrix } from '../../../vectors/matrix.ts';
import { type CodedRows, ROTATION_SAMPLE, sampledResiduals } from '../build/coded-rows.ts';
import type { CodeErrors } from '../leaves.ts';
import { CODE_NS, ROTATION_NS } from '../search/work-costs.ts';
import { MEASURED_FROM, type ScannSettings } from '../settings.ts';
import { MEASUREMENTS, type RotationChoice } from './measurements.ts';

/** Dimensions of a block of rotated rows: 768 dimensions have 48 or 96 blocks. Those of 16 are too rough for pictures. */
const ROTATED_BLOCKS = [16, 8] as const;
/** The share of the candidates that a query scans at least: a recall of .95 takes a tenth on the vectors of texts. */
const SCANNED_SHARE = 0.1;
/** Residuals that train both codes: 256 for each codeword of a block. */
const TRAINED = 4_096;
/** Residuals and rows whose products are compared. */
const MEASURED = 512;
const QUERIES = 64;

/** Choose for rows whose centroids are known. `total` is the number of candidates, of which the rows may be a sample. */
function chooseRotation(
  coded: CodedRows,
  centroids: Centroids,
  settings: ScannSettings,
  total: number,
): RotationChoice {
  const { dimensions: d } = coded;
  const { dimensionsPerBlock, seed } = settings;
  const widths = ROTATED_BLOCKS.filter((width) => isFaster(d, width, settings, total));
  const plain: RotationChoice = { rotation: undefined, blockWidth: dimensionsPerBlock };
  if (d < MEASURED_FROM || widths.length === 0) return plain;
  const residuals = sampledResiduals(coded, centroids, ROTATION_SAMPLE);
  const { runtime } = residuals;
  const trained = everyOf(residuals, TRAINED);
  const rows = new Matrix(Math.min(QUERIES, coded.rows), d, runtime);
  try {
    for (let i = 0; i < rows.rows; i++) rows.row(i).set(coded.row(Math.floor((i * coded.rows) / rows.rows)));
    const none = codeError(trained, rows, dimensionsPerBlock, seed);
    let choice = plain;
    for (const blockWidth of widths) {
      const rotation = balancedPca.train(residuals, {
        dimensionsPerBlock: blockWidth,
        sampleSize: ROTATION_SAMPLE,
        seed,
      });
      const codeErrors = { none, balancedPca: rotatedError(rotation, trained, rows, blockWidth, seed) };
      if (codeErrors.balancedPca <= none) return { rotation, blockWidth, codeErrors };
      rotation.directions.free();
      choice = { ...plain, codeErrors };
    }
    return choice;
  } finally {
    for (const matrix of [residuals, trained, rows]) matrix.free();
  }
}

/** True where the scan of wider blocks saves more than the rotation of a query costs. */
function isFaster(
  d: number,
  blockWidth: number,
  { dimensionsPerBlock, numLeaves, numLeavesToSearch }: ScannSettings,
  total: number,
): boolean {
  const scanned = total * Math.min(1, Math.max(SCANNED_SHARE, numLeavesToSearch / numLeaves));
  const saved = Math.ceil(d / dimensionsPerBlock) - Math.ceil(d / blockWidth);
  return scanned * saved * CODE_NS > d * d * ROTATION_NS;
}

/** At most `count` rows, evenly spaced, in a matrix of their own. */
function everyOf(rows: Matrix, count: number): Matrix {
  const some = new Matrix(Math.min(count, rows.rows), rows.dimensions, rows.runtime);
  for (let i = 0; i < some.rows; i++) some.row(i).set(rows.row(Math.floor((i * rows.rows) / some.rows)));
  return some;
}

/** The error of codes of rotated residuals. The rotation is freed when this fails. */
function rotatedError(
  rotation: Rotation,
  residuals: Matrix,
  queries: Matrix,
  blockWidth: number,
  seed: number,
): number {
  const rotated: Matrix[] = [];
  try {
    for (const matrix of [residuals, queries]) {
      const into = new Matrix(matrix.rows, matrix.dimensions, matrix.runtime);
      rotated.push(into);
      balancedPca.rotate(rotation, matrix, into);
    }
    return codeError(rotated[0]!, rotated[1]!, blockWidth, seed);
  } catch (error) {
    rotation.directions.free();
    throw error;
  } finally {
    for (const matrix of rotated) matrix.free();
  }
}

/** The error of codes with blocks of this width. */
function codeError(residuals: Matrix, queries: Matrix, dimensionsPerBlock: number, seed: number): number {
  const codebook = trainProductCodebook(residuals, { dimensionsPerBlock, seed });
  const measured = everyOf(residuals, MEASURED);
  const decoded = decodeProduct(codebook, encodeProduct(codebook, measured));
  try {
    let lost = 0;
    let all = 0;
    for (let i = 0; i < measured.rows; i++) {
      const [whole, coded] = [measured.row(i), decoded.row(i)];
      for (let j = 0; j < queries.rows; j++) {
        const query = queries.row(j);
        let error = 0;
        let product = 0;
        for (let t = 0; t < query.length; t++) {
          error += query[t]! * (whole[t]! - coded[t]!);
          product += query[t]! * whole[t]!;
        }
        lost += error * error;
        all += product * product;
      }
    }
    return all > 0 ? Math.sqrt(lost / all) : 0;
  } finally {
    for (const matrix of [codebook.words, measured, decoded]) matrix.free();
  }
}

/** The note of `stats()`. */
function noteOf({ none, balancedPca: rotated }: CodeErrors, isRotated: boolean, blockWidth: number): string {
  return (
    `rotation: rows are ${isRotated ? 'rotated by balanced PCA' : 'not rotated'} and have ${blockWidth} dimensions a block; ` +
    `the error of scores by their codes is ${rotated.toFixed(3)} with and ${none.toFixed(3)} without the rotation`
  );
}

MEASUREMENTS.rotation = { choose: chooseRotation, noteOf };

/**
 * The choice of a rotation as the option `rotation` of an index: `new ScaNN({ rotation: measuredRotation.name })`. In Node
 * the name alone is enough; a bundler adds the code only to a program that uses `measuredRotation`, `autopilot` or bundles.
 */
export const measuredRotation: { readonly name: 'auto' } = { name: 'auto' };
