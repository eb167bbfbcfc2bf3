/** TF's datatypes: for each the name in metadata, the number in protos, and the word in messages. */
import type { Datatype } from '../tensors/tensor.ts';

interface TfDatatype {
  name: string;
  number: number;
  /** The word of TF's `DataTypeString`, for messages. */
  word: string;
}

/** Datatype → TF's name, number and word for it. */
export const TF_DATATYPES: { readonly [D in Datatype]: TfDatatype } = {
  FP32: { name: 'DT_FLOAT', number: 1, word: 'float' },
  FP64: { name: 'DT_DOUBLE', number: 2, word: 'double' },
  INT32: { name: 'DT_INT32', number: 3, word: 'int32' },
  UINT8: { name: 'DT_UINT8', number: 4, word: 'uint8' },
  INT16: { name: 'DT_INT16', number: 5, word: 'int16' },
  INT8: { name: 'DT_INT8', number: 6, word: 'int8' },
  BYTES: { name: 'DT_STRING', number: 7, word: 'string' },
  INT64: { name: 'DT_INT64', number: 9, word: 'int64' },
  BOOL: { name: 'DT_BOOL', number: 10, word: 'bool' },
  UINT16: { name: 'DT_UINT16', number: 17, word: 'uint16' },
  FP16: { name: 'DT_HALF', number: 19, word: 'half' },
  UINT32: { name: 'DT_UINT32', number: 22, word: 'uint32' },
  UINT64: { name: 'DT_UINT64', number: 23, word: 'uint64' },
};

const BY_NUMBER = new Map(
  Object.entries(TF_DATATYPES).map(([datatype, { number }]) => [number, datatype as Datatype] as const),
);

/** The datatype that has a number in protos; undefined if there is none. */
export function datatypeOfNumber(number: number): Datatype | undefined {
  return BY_NUMBER.get(number);
}
