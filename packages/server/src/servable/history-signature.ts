/**
 * The signature `query_by_history`: each query is a row of item identifiers, the latest last, padded with the empty
 * identifier (−1 for integers). The output `unknown_items` lists the items of each row that the model does not know.
 */
import type { Identifier } from 'shortlist';
import { type Tensor, type TensorSpec, textOf } from '../tensors/tensor.ts';
import type { Query, QueryResult, Servable } from './contract.ts';
import { checkIdentifier } from './identifiers.ts';

/** The name of the signature. */
export const HISTORY_SIGNATURE = 'query_by_history';

type Datatype = Servable['identifierDatatype'];

/** The identifier with which rows are padded. */
export const paddingOf = (datatype: Datatype): Identifier => (datatype === 'BYTES' ? '' : -1);

/** The input of the signature. */
export const historyInput = (datatype: Datatype): TensorSpec => ({ name: 'history', datatype, shape: [-1, -1] });

/** The additional output of the signature. */
export const unknownItemsOutput = (datatype: Datatype): TensorSpec => ({
  name: 'unknown_items',
  datatype,
  shape: [-1, -1],
});

/**
 * The queries of the signature's input.
 *
 * @throws {ServingError} INVALID_ARGUMENT when no candidate can have an identifier
 */
export function historyQueries(datatype: Datatype, { shape, data }: Tensor, k: number): Query[] {
  const [rows, width] = shape as [number, number];
  return Array.from({ length: rows }, (_, row) => {
    const history: Identifier[] = [];
    for (let i = row * width; i < (row + 1) * width; i++) {
      const item = datatype === 'BYTES' ? textOf(data[i]!) : (data[i] as number | bigint);
      if (datatype === 'BYTES' ? item !== '' : Number(item) !== -1)
        history.push(checkIdentifier(datatype, item, 'history'));
    }
    return { k, history };
  });
}

/** The output `unknown_items` for results. */
export function unknownItemsTensor(datatype: Datatype, results: readonly QueryResult[]): Tensor {
  const lists = results.map(({ history }) => history?.unknown ?? []);
  const width = lists.reduce((most, { length }) => Math.max(most, length), 0);
  const padding = paddingOf(datatype);
  const data = lists.flatMap((list) => Array.from({ length: width }, (_, i) => list[i] ?? padding));
  return { datatype, shape: [results.length, width], data };
}
