/**
 * Makes a tensor of rows whose value may be missing, or whose lists differ in length.
 *
 * TF Serving takes only rectangular tensors; its clients pad ragged lists with '' and 0 by `tf.RaggedTensor.to_tensor`.
 * Here the lists in JSON may differ in length: they are padded in the same way, and the tensor stores the length of
 * each.
 */
import type { JsonValue } from '../json/parse.ts';
import { invalidArgument } from '../status/serving-error.ts';
import type { Element, Tensor, TensorSpec } from '../tensors/tensor.ts';
import { elementOf } from './json-value.ts';

/** Whether JSON may leave out values of a tensor or have lists of different lengths. */
export function isPadded({ isOptional = false, isRagged = false }: TensorSpec): boolean {
  return isOptional || isRagged;
}

/** Collects the values of the rows of one tensor. */
export class PaddedTensor {
  readonly spec: TensorSpec;
  /** The elements of each row; none where the value is missing. */
  readonly #rows: (readonly Element[])[];

  constructor(spec: TensorSpec, rows: number) {
    this.spec = spec;
    this.#rows = new Array(rows).fill([]);
  }

  /** Set the value of a row. @throws {ServingError} INVALID_ARGUMENT when it has another type or shape */
  set(row: number, value: JsonValue): void {
    const { datatype, shape, isOptional = false } = this.spec;
    if (value === null && isOptional) return;
    if (shape.length === 1) {
      // A list of one value is read as the value, as for other tensors of single values.
      const single = Array.isArray(value) && value.length === 1 ? value[0]! : value;
      if (Array.isArray(single)) throw invalidArgument(`Expecting a value but got a list of ${single.length}`);
      this.#rows[row] = [elementOf(single, datatype)];
      return;
    }
    if (!Array.isArray(value)) throw invalidArgument('Expecting a list but got a value');
    const size = shape[1]!;
    if (size >= 0 && value.length !== size) {
      throw invalidArgument(`Expecting tensor size: ${size} but got: ${value.length}`);
    }
    this.#rows[row] = value.map((item) => elementOf(item, datatype));
  }

  /** The rectangular tensor. */
  finish(): Tensor {
    const { datatype, shape } = this.spec;
    const isSingle = shape.length === 1;
    const lengths = this.#rows.map(({ length }) => length);
    const width = isSingle
      ? 1
      : shape[1]! >= 0
        ? shape[1]!
        : lengths.reduce((most, length) => Math.max(most, length), 0);
    const padding = datatype === 'BYTES' ? '' : 0;
    const data = this.#rows.flatMap((row) => [...row, ...new Array<Element>(width - row.length).fill(padding)]);
    return { datatype, shape: isSingle ? [lengths.length] : [lengths.length, width], data, lengths };
  }
}
