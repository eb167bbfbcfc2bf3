/**
 * Records: the arguments of a kernel with more than eight, as fields of four bytes each in the linear memory.
 *
 * A record is described once, in the file of its kernel (families/). From the description come the type of the values
 * here and the class through which the kernel reads them: scripts/kernel-records.mjs writes it to
 * assembly/records.generated.ts before the kernels are compiled.
 */
import type { LinearMemory } from '../memory/linear-memory.ts';

/** AssemblyScript's name of a field's type: an offset or a size in bytes, a count, a float32. */
export type FieldType = 'usize' | 'i32' | 'f32';

/** The description of a record: the name of the kernel that takes it, and its fields in order. */
export interface RecordDescription {
  readonly name: string;
  readonly fields: Readonly<Record<string, FieldType>>;
}

/** The values of a record. */
export type RecordValues<D extends RecordDescription> = { -readonly [Field in keyof D['fields']]: number };

/** The byte offset of a record that was written; the type differs for each record, so that they cannot be confused. */
export type RecordAddress<D extends RecordDescription> = number & { readonly record: D };

/** Bytes of a record. */
export function recordBytes({ fields }: RecordDescription): number {
  return 4 * Object.keys(fields).length;
}

/** Write a record at a byte offset that is a multiple of 4. */
export function writeRecord<D extends RecordDescription>(
  memory: LinearMemory,
  { fields }: D,
  offset: number,
  values: RecordValues<D>,
): RecordAddress<D> {
  const { floats, integers } = memory;
  let at = offset / 4;
  for (const field in fields) {
    const value = values[field as keyof D['fields']];
    if (fields[field] === 'f32') floats[at++] = value;
    else integers[at++] = value;
  }
  return offset as RecordAddress<D>;
}

/** The position of each field in a record, in numbers of four bytes from its start. */
export function fieldPositions<D extends RecordDescription>({ fields }: D): RecordValues<D> {
  return Object.fromEntries(Object.keys(fields).map((field, i) => [field, i])) as RecordValues<D>;
}

/** The values of a record, for the reference kernels. */
export function readRecord<D extends RecordDescription>(
  memory: LinearMemory,
  { fields }: D,
  address: RecordAddress<D>,
): RecordValues<D> {
  const { floats, integers } = memory;
  const values = Object.entries(fields).map(([field, type], i) => {
    const at = address / 4 + i;
    return [field, type === 'f32' ? floats[at]! : type === 'i32' ? integers[at]! : integers[at]! >>> 0];
  });
  return Object.fromEntries(values) as RecordValues<D>;
}
