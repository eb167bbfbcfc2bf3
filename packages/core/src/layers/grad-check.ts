/**
 * A check of a layer's backward pass against finite differences of its forward pass.
 *
 * The loss is L = Σ w ⊙ y with random weights w, summed in float64. With a reference of the forward pass in float64,
 * the differences are those of the reference, slope(h) = (L(p + h) − L(p − h)) / 2h with a small h. Without one they
 * are those of the layer itself. Their float32 noise needs a large h, and a large h needs the formula of fourth order:
 * (4·slope(h) − slope(2h)) / 3. Where the slopes of the two steps, or of the two sides, differ much, the layer has a
 * corner nearby (ReLU at 0), and the place is skipped.
 */
import { checkArgument } from '../checks/arguments.ts';
import { NUMBER, objectWith, optionsCheck, optionType } from '../checks/options.ts';
import { ShapeError } from '../errors/errors.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { type Layer, padded } from './contract.ts';

/**
 * The forward pass in float64: computes y [rows, outputs] from x [rows, inputs], both without padding, and from the
 * numbers of `layer.parameters()`, with their padding.
 */
export type LayerReference = (x: Float64Array, rows: number, parameters: readonly Float64Array[]) => Float64Array;

/** Options of `gradCheck`. */
export interface GradCheckOptions {
  /** Rows of x; default 3. */
  rows?: number;
  /** The seed of x and of the weights of the loss; default 1. */
  seed?: number;
  /** The training step that is passed to `forward`; default none, as while serving. */
  trainingStep?: number;
  /** The largest allowed difference, divided by 1 + |gradient|; default 1e-4 with a reference, 5e-3 without. */
  tolerance?: number;
  /** The forward pass in float64; default: the forward pass of the layer itself. */
  reference?: LayerReference;
}

/** The result of `gradCheck`. */
export interface GradCheck {
  /** True where no difference is above the tolerance, and at most a quarter of the places were skipped. */
  readonly isCorrect: boolean;
  /** The largest difference between a gradient and its finite difference, divided by 1 + |finite difference|. */
  readonly largestError: number;
  /** The place of that difference: 'x[row, column]' or 'parameters[i][row, column]'. */
  readonly worst: string;
  /** The largest difference between the layer and its reference; 0 without one. */
  readonly forwardError: number;
  /** The number of gradients that were compared. */
  readonly checked: number;
  /** The number of places near a corner, which were not compared. */
  readonly skipped: number;
}

const checkOptions = optionsCheck<GradCheckOptions>('gradCheck', {
  rows: NUMBER,
  seed: NUMBER,
  trainingStep: NUMBER,
  tolerance: NUMBER,
  reference: optionType('a function', (value) => typeof value === 'function'),
});

/**
 * The steps h: the first is large against the rounding of float32, the second small against the curvature of a
 * reference.
 */
const STEP = 2 ** -6;
const REFERENCE_STEP = 2 ** -13;
/** Two slopes that differ by more than this many tolerances show a corner nearby; curvature alone stays below. */
const CORNER = 4;

/**
 * Compare the gradients of a layer with finite differences. The parameters have their values again afterwards.
 *
 * @throws {ShapeError} when y or dx does not have the shape that the contract asks for
 */
export function gradCheck(layer: Layer, options: GradCheckOptions = {}): GradCheck {
  checkArgument('layer', layer, objectWith('a layer', 'forward', 'backward', 'parameters', 'runtime'));
  const { reference, rows = 3, seed = 1, trainingStep } = checkOptions(options);
  const { runtime } = layer;
  const tolerance = options.tolerance ?? (reference ? 1e-4 : 5e-3);
  const generator = new Generator(seed);
  const x = randomRows(rows, layer.inputs, generator, runtime);
  const w = randomRows(rows, layer.outputs, generator, runtime);
  const y = unpadded(checkShape('y', layer.forward(x, trainingStep), rows, layer.outputs), layer.outputs);
  const recorder = new GradientRecorder();
  const dx = checkShape('dx', layer.backward(w, recorder), rows, layer.inputs);
  const parameters = layer.parameters();
  const exact = parameters.map(({ data }) => Float64Array.from(data));
  const inputs = unpadded(x, layer.inputs);
  const lossOf = (values: ArrayLike<number>): number =>
    unpadded(w, layer.outputs).reduce((sum, weight, i) => sum + weight * values[i]!, 0);
  const places: Place[] = reference
    ? [inputs, ...exact].map((values) => ({ values, loss: () => lossOf(reference(inputs, rows, exact)) }))
    : [x, ...parameters].map(({ data }) => ({
        values: data,
        loss: () => lossOf(unpadded(layer.forward(x, trainingStep), layer.outputs)),
      }));
  const gradients = [unpadded(dx, layer.inputs), ...parameters.map((matrix) => recorder.gradientOf(matrix))];
  const result = { largestError: 0, worst: 'none', checked: 0, skipped: 0 };
  places.forEach((place, p) => {
    const name = p === 0 ? 'x' : `parameters[${p - 1}]`;
    const columns = p === 0 ? layer.inputs : parameters[p - 1]!.dimensions;
    const stride = p === 0 && !reference ? x.dimensions : columns;
    for (let row = 0; row * stride < place.values.length; row++) {
      for (let column = 0; column < columns; column++) {
        const expected = (reference ? slope : cornerFreeSlope)(place, row * stride + column, tolerance);
        if (expected === undefined) {
          result.skipped++;
          continue;
        }
        result.checked++;
        const error = Math.abs(gradients[p]![row * columns + column]! - expected) / (1 + Math.abs(expected));
        // Written so that NaN counts as the worst.
        if (error <= result.largestError) continue;
        result.largestError = error;
        result.worst = `${name}[${row}, ${column}]`;
      }
    }
  });
  const forwardError = reference
    ? reference(inputs, rows, exact).reduce((most, value, i) => Math.max(most, Math.abs(value - y[i]!)), 0)
    : 0;
  const isClose = result.largestError <= tolerance && forwardError <= tolerance;
  for (const matrix of [x, w, dx]) matrix.free();
  return { isCorrect: isClose && 3 * result.skipped <= result.checked, forwardError, ...result };
}

/** Numbers that the loss depends on. */
interface Place {
  readonly values: Float32Array | Float64Array;
  readonly loss: () => number;
}

/** (L(p + h) − L(p − h)) / 2h */
function slope({ values, loss }: Place, i: number, _tolerance: number, step: number = REFERENCE_STEP): number {
  const before = values[i]!;
  values[i] = before + step;
  // The changed value is read back, because float32 rounds the sum.
  const [above, high] = [loss(), values[i]!];
  values[i] = before - step;
  const [below, low] = [loss(), values[i]!];
  values[i] = before;
  return (above - below) / (high - low);
}

/** The slope of fourth order; undefined where slopes of two steps, or of the two sides, show a corner nearby. */
function cornerFreeSlope(place: Place, i: number, tolerance: number): number | undefined {
  const [near, far] = [slope(place, i, tolerance, STEP), slope(place, i, tolerance, 2 * STEP)];
  const change = Math.max(Math.abs(near - far), Math.abs(sideSlope(place, i, STEP) - sideSlope(place, i, -STEP)));
  return change > tolerance * (1 + Math.abs(near)) * CORNER ? undefined : (4 * near - far) / 3;
}

/** The slope of second order on one side: (4·L(p + h) − 3·L(p) − L(p + 2h)) / 2h */
function sideSlope({ values, loss }: Place, i: number, step: number): number {
  const before = values[i]!;
  const here = loss();
  values[i] = before + step;
  const near = loss();
  values[i] = before + 2 * step;
  const far = loss();
  values[i] = before;
  return (4 * near - 3 * here - far) / (2 * step);
}

/** Keeps the gradients that it is given instead of stepping by them. */
class GradientRecorder implements SparseOptimizer {
  readonly name = 'recorder';
  learningRate = 1;
  readonly #gradients = new Map<Matrix, Float64Array>();

  beginStep(): void {}

  endStep(): void {}

  step(parameters: Matrix, rows: Int32Array, gradients: Matrix): void {
    const sums = this.gradientOf(parameters);
    rows.forEach((row, i) => {
      for (let t = 0; t < parameters.dimensions; t++) {
        const at = row * parameters.dimensions + t;
        sums[at] = sums[at]! + gradients.data[i * gradients.dimensions + t]!;
      }
    });
    this.#gradients.set(parameters, sums);
  }

  /** The gradient of a parameter matrix; zeros where it was never stepped. */
  gradientOf(parameters: Matrix): Float64Array {
    return this.#gradients.get(parameters) ?? new Float64Array(parameters.rows * parameters.dimensions);
  }

  state(): undefined {
    return undefined;
  }

  resetState(): void {}

  stateBytes(): number {
    return 0;
  }
}

/** Normal numbers [rows, padded(columns)], padding 0. */
function randomRows(rows: number, columns: number, generator: Generator, runtime: Runtime): Matrix {
  const matrix = new Matrix(rows, padded(columns), runtime);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) matrix.row(i)[j] = generator.normal();
  return matrix;
}

/** The numbers of a matrix without its padding. */
function unpadded(matrix: Matrix, columns: number): Float64Array {
  const { rows, dimensions, data } = matrix;
  return Float64Array.from({ length: rows * columns }, (_, i) => {
    return data[Math.floor(i / columns) * dimensions + (i % columns)]!;
  });
}

function checkShape(name: string, matrix: Matrix, rows: number, columns: number): Matrix {
  const { data, dimensions } = matrix;
  if (matrix.rows !== rows || dimensions < padded(columns)) {
    throw new ShapeError(`${name}: expected [${rows}, ${padded(columns)}], got [${matrix.rows}, ${dimensions}]`);
  }
  const at = data.findIndex((value, i) => value !== 0 && i % dimensions >= columns);
  if (at < 0) return matrix;
  const [row, column] = [Math.floor(at / dimensions), at % dimensions];
  throw new ShapeError(
    `${name}: expected padding of 0 after column ${columns - 1}, got ${data[at]} at [${row}, ${column}]`,
  );
}
