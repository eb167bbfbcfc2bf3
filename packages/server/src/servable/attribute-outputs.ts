/**
 * Attributes of the found candidates, as additional outputs of the signatures that search. A request names those that
 * it wants.
 *
 * The element in row b and column i of an output belongs to the identifier in row b and column i of `identifiers`.
 *
 * | attribute | datatype, shape | where a candidate has no value, and in padding |
 * |---|---|---|
 * | text, date (ISO 8601) | BYTES [B, k] | "" |
 * | number | FP64 [B, k] | NaN |
 * | boolean | BOOL [B, k] | false |
 * | list | BYTES [B, k, values of the longest list] | ""; shorter lists are padded with it; numbers are written as text |
 *
 * An attribute without any value has no known kind and is written as text.
 */
import type { AttributeTable } from '../attributes/table.ts';
import type { AttributeValue } from '../attributes/values.ts';
import type { Element, Tensor, TensorSpec } from '../tensors/tensor.ts';
import type { QueryResult, Servable } from './contract.ts';

/**
 * Names of the outputs that a request may name: those of the signature and, if the signature searches, the attributes.
 */
export function outputNames({ attributes }: Servable, { outputs }: { outputs: readonly TensorSpec[] }): string[] {
  const own = outputs.map(({ name }) => name);
  const searches = own.includes('identifiers');
  return searches ? [...own, ...attributes.names.filter((name) => !own.includes(name))] : own;
}

/** The values of an attribute for the candidates that queries found; `width` columns per query. */
export function attributeTensor(
  table: AttributeTable,
  name: string,
  results: readonly QueryResult[],
  width: number,
): Tensor {
  const column = table.columns.get(name);
  const values: AttributeValue[] = [];
  for (const { rows } of results) {
    for (let i = 0; i < width; i++) values.push(i < rows.length ? (column?.get(rows[i]!) ?? null) : null);
  }
  const shape = [results.length, width];
  if (column?.kind === 'list') return listTensor(values as readonly (readonly Element[] | null)[], shape);
  if (column?.kind === 'number')
    return { datatype: 'FP64', shape, data: values.map((value) => value ?? Number.NaN) as number[] };
  if (column?.kind === 'boolean')
    return { datatype: 'BOOL', shape, data: values.map((value) => value ?? false) as boolean[] };
  return { datatype: 'BYTES', shape, data: values.map((value) => value ?? '') as string[] };
}

function listTensor(lists: readonly (readonly Element[] | null)[], shape: readonly number[]): Tensor {
  const longest = lists.reduce((most, list) => Math.max(most, list?.length ?? 0), 0);
  const data: string[] = [];
  for (const list of lists) for (let i = 0; i < longest; i++) data.push(String(list?.[i] ?? ''));
  return { datatype: 'BYTES', shape: [...shape, longest], data };
}
