/** The options of commands that read files of interactions. */
import type { ReadInteractionsOptions } from '@shortlist/data';
import { UsageError } from '../terminal/command.ts';
import { count } from '../terminal/format-numbers.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** The options, for `parseArgs`. */
export const INTERACTION_OPTIONS = {
  like: { type: 'string' },
  'user-column': { type: 'string' },
  'item-column': { type: 'string' },
  'value-column': { type: 'string' },
  'weight-column': { type: 'string' },
  'time-column': { type: 'string' },
  'event-column': { type: 'string' },
  delimiter: { type: 'string' },
  header: { type: 'string' },
  strict: { type: 'boolean', default: false },
} as const;

/** The values of these options, as `parseArgs` returns them. */
export type InteractionValues = {
  readonly [Name in Exclude<keyof typeof INTERACTION_OPTIONS, 'strict'>]?: string | undefined;
} & { readonly strict?: boolean | undefined };

/** The options for `readInteractions`, with progress on the terminal. @throws {UsageError} when --header is neither yes nor no */
export function readOptions(
  values: InteractionValues,
  terminal: Terminal,
  signal: AbortSignal,
): ReadInteractionsOptions {
  if (values.header !== undefined && values.header !== 'yes' && values.header !== 'no') {
    throw new UsageError(`--header: expected yes or no, got ${JSON.stringify(values.header)}`);
  }
  return {
    like: values.like,
    userColumn: values['user-column'],
    itemColumn: values['item-column'],
    valueColumn: values['value-column'],
    weightColumn: values['weight-column'],
    timeColumn: values['time-column'],
    eventColumn: values['event-column'],
    delimiter: values.delimiter?.replaceAll('\\t', '\t'),
    header: values.header === undefined ? undefined : values.header === 'yes',
    strict: values.strict,
    signal,
    onProgress: ({ path, bytesRead, sizeBytes, rows }) =>
      terminal.progress(bytesRead / Math.max(1, sizeBytes), `${path}: ${count(rows)} rows`),
  };
}
