/** The switch from a method's name to its table: the one option by which a tower takes any of them. */
import { checkOneOf } from '../checks/numbers.ts';
import { type BloomOptions, bloom } from './bloom.ts';
import { type CompositionalOptions, compositional } from './compositional.ts';
import type { EmbeddingTable } from './contract.ts';
import { Cqr, type CqrOptions } from './cqr.ts';
import { Dhe, type DheOptions } from './dhe.ts';
import { FullTable } from './full.ts';
import { HashEmbeddings, type HashEmbeddingsOptions } from './hash-embeddings.ts';
import { type HashingTrickOptions, hashingTrick } from './hashing-trick.ts';
import { QuotientRemainder, type QuotientRemainderOptions } from './quotient-remainder.ts';
import { Robe, type RobeOptions } from './robe.ts';
import type { TableContext } from './table-context.ts';
import { type UnifiedOptions, unified } from './unified.ts';

/** Which table, and what it may cost: a budget in `parameters` or in `bytes`. */
export type EmbeddingOptions =
  | { method: 'full' }
  | ({ method: 'hashing-trick' } & HashingTrickOptions)
  | ({ method: 'bloom' } & BloomOptions)
  | ({ method: 'compositional' } & CompositionalOptions)
  | ({ method: 'unified' } & UnifiedOptions)
  | ({ method: 'quotient-remainder' } & QuotientRemainderOptions)
  | ({ method: 'hash-embeddings' } & HashEmbeddingsOptions)
  | ({ method: 'robe' } & RobeOptions)
  | ({ method: 'dhe' } & DheOptions)
  | ({ method: 'cqr' } & CqrOptions);

/** The methods a tower can train. */
export const EMBEDDING_METHODS: readonly EmbeddingOptions['method'][] = [
  'full',
  'hashing-trick',
  'bloom',
  'compositional',
  'unified',
  'quotient-remainder',
  'hash-embeddings',
  'robe',
  'dhe',
  'cqr',
];

/**
 * A new table.
 *
 * @throws {OptionError} when the method is unknown or the budget too small
 */
export function makeTable(options: EmbeddingOptions, context: TableContext): EmbeddingTable {
  checkOneOf('embedding.method', options.method, EMBEDDING_METHODS);
  switch (options.method) {
    case 'full':
      return FullTable.create(context);
    case 'hashing-trick':
      return hashingTrick(options, context);
    case 'bloom':
      return bloom(options, context);
    case 'compositional':
      return compositional(options, context);
    case 'unified':
      return unified(options, context);
    case 'quotient-remainder':
      return QuotientRemainder.create(options, context);
    case 'hash-embeddings':
      return HashEmbeddings.create(options, context);
    case 'robe':
      return Robe.create(options, context);
    case 'dhe':
      return Dhe.create(options, context);
    case 'cqr':
      return Cqr.create(options, context);
  }
}
