/** Makes the embedding table that the option `embedding` of a tower describes. */

import { shown } from '../checks/numbers.ts';
import { optionsCheck, optionType, required } from '../checks/options.ts';
import { OptionError } from '../errors/errors.ts';
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
import { checkContext, type TableContext } from './table-context.ts';
import { type UnifiedOptions, unified } from './unified.ts';

/** The options of a table: its method, and a budget in `parameters` or in `bytes`. */
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

/** The methods that a tower can train. */
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

const isMethod = (value: unknown): boolean => EMBEDDING_METHODS.some((method) => method === value);
const METHOD = optionType(`one of ${EMBEDDING_METHODS.join(', ')}`, isMethod);
const checkFull = optionsCheck<{ method: 'full' }>('embedding (full)', { method: required(METHOD) });

/**
 * A new table.
 *
 * @throws {OptionError} when the method or an option is unknown, or the budget too small
 */
export function makeTable(options: EmbeddingOptions, context: TableContext): EmbeddingTable {
  checkMethod(options);
  checkContext(context);
  switch (options.method) {
    case 'full':
      return makeFull(options, context);
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

function checkMethod(options: EmbeddingOptions): void {
  const method: unknown = (options as { method?: unknown } | null)?.method;
  if (typeof options !== 'object' || !METHOD.accepts(method)) {
    throw new OptionError(`embedding.method: expected ${METHOD.expected}, got ${shown(method)}`);
  }
}

/** A full table, which has no budget and no other options. */
function makeFull(options: { method: 'full' }, { vocabularySize, dimensions, seed, runtime }: TableContext): FullTable {
  checkFull(options);
  return FullTable.create({ vocabularySize, dimensions, seed, runtime });
}
