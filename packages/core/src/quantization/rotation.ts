/**
 * The rotations of rows before they are coded, by name. The module of a rotation adds it here when it is loaded, so that
 * a bundler leaves the code of a rotation out of a program that does not use what the module exports.
 */
import { OptionError } from '../errors/errors.ts';
import type { Matrix } from '../vectors/matrix.ts';

/** A rotation of d dimensions. */
export interface Rotation {
  dimensions: number;
  /** [d, 4⌈d/4⌉]; row t holds component t of each direction, then zeros; out = x · directions. */
  directions: Matrix;
}

/** A way to compute rotations. */
export interface RotationMethod<Name extends string = string> {
  /** The value of the option `rotation` of an index. */
  readonly name: Name;
  /** The rotation for rows [n, d] like those that will be coded. */
  train(rows: Matrix, options: { dimensionsPerBlock: number; sampleSize: number; seed: number }): Rotation;
  /** Rotate rows [n, d] into a matrix of the same shape, which may be the same. */
  rotate(rotation: Rotation, rows: Matrix, into: Matrix): Matrix;
}

const METHODS: Map<string, RotationMethod> = new Map();

/** Add a way to compute rotations; returns it. */
export function addRotation<Name extends string>(method: RotationMethod<Name>): RotationMethod<Name> {
  METHODS.set(method.name, method);
  return method;
}

/** The way to compute rotations with this name. @throws {OptionError} when the program does not have its code */
export function rotationNamed(name: string): RotationMethod {
  const method = METHODS.get(name);
  if (!method) {
    throw new OptionError(
      `rotation: expected balancedPca.name or measuredRotation.name of shortlist, which bring its code, got "${name}" alone`,
    );
  }
  return method;
}
