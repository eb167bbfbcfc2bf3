/**
 * Reads the values that the spec of `--features` names: those of items from columns of the table of items, those of users from
 * columns of the table of users (`--users`) or of the interactions, where a user has the value of the last row that has one.
 * All values are checked before the training, so that an error names the file, the row and the feature.
 */
import { type Cell, type ItemTable, openTable, type ReadInteractions, type TableOptions } from '@shortlist/data';
import { DataError, FeatureError, type Interactions } from 'shortlist';
import { FeatureLearner, type FeatureSpec, type FeatureSpecs } from 'shortlist/features';
import { nearestName } from 'shortlist/options';
import { type FeatureModelData, HISTORY_FIELD, ITEM_FIELD, USER_FIELD } from 'shortlist/recommenders';
import type { NamedSpec } from './feature-spec.ts';
import { rawValue } from './raw-value.ts';

/** The most mismatches that an error names. */
const NAMED_MAX = 10;

/** The places of the values. */
export interface FeatureSources {
  readonly read: ReadInteractions;
  readonly interactions: Interactions;
  readonly items: ItemTable | undefined;
  readonly itemsPath: string | undefined;
  readonly users: ItemTable | undefined;
  readonly usersPath: string | undefined;
  /** The options of the format of the interactions. */
  readonly format: TableOptions;
  readonly signal: AbortSignal;
}

/** The cells of one field, by identifier, with the row of each for messages. */
interface Field {
  readonly cells: ReadonlyMap<string, { readonly cell: Cell; readonly row: number }>;
  readonly path: string;
}

/** One tower of a spec. */
interface Side {
  readonly tower: 'queryTower' | 'candidateTower';
  readonly specs: FeatureSpecs;
  readonly kind: 'user' | 'item';
  readonly vocabulary: readonly string[];
}

/**
 * The values of users and items.
 *
 * @throws {DataError} when a column is missing, or values do not fit the spec: the first ten with their rows
 */
export async function readFeatureValues(
  { spec, source }: NamedSpec,
  sources: FeatureSources,
): Promise<FeatureModelData> {
  const { users, items } = sources.interactions;
  const query: Side = {
    ...{ tower: 'queryTower', specs: spec.queryTower.features, kind: 'user', vocabulary: users.vocabulary },
  };
  const candidate: Side = {
    ...{ tower: 'candidateTower', specs: spec.candidateTower.features, kind: 'item', vocabulary: items.vocabulary },
  };
  const [userFields, itemFields] = [await userFieldsOf(query, sources), itemFieldsOf(candidate, source, sources)];
  return { spec, userFields: checkedValues(query, userFields), itemFields: checkedValues(candidate, itemFields) };
}

/** The fields of features that are columns of files, each with the name and the spec of a feature that reads it. */
function columnsOf({ specs, kind }: Side): Map<string, { name: string; spec: FeatureSpec }> {
  const own = kind === 'user' ? [USER_FIELD, HISTORY_FIELD] : [ITEM_FIELD];
  const fields = new Map<string, { name: string; spec: FeatureSpec }>();
  const weights: FeatureSpec = { type: 'vector', length: 1 };
  for (const [name, spec] of Object.entries(specs)) {
    const beside: [string, FeatureSpec][] = [];
    if ('weights' in spec && spec.weights !== undefined) beside.push([spec.weights, weights]);
    if ('now' in spec && spec.now !== undefined) beside.push([spec.now, spec]);
    for (const [field, as] of [[spec.field ?? name, spec] as const, ...beside]) {
      if (!own.includes(field) && !fields.has(field)) fields.set(field, { name, spec: as });
    }
  }
  return fields;
}

function itemFieldsOf(side: Side, source: string, { items, itemsPath }: FeatureSources): Map<string, Field> {
  const fields = new Map<string, Field>();
  for (const [field, { name }] of columnsOf(side)) {
    if (!items || itemsPath === undefined) {
      throw new DataError(
        `${source}: candidateTower.features.${name} reads the column ${JSON.stringify(field)}: expected --items with a table of items, got none`,
      );
    }
    fields.set(field, tableField(items, itemsPath, field, `candidateTower.features.${name}`));
  }
  return fields;
}

async function userFieldsOf(side: Side, sources: FeatureSources): Promise<Map<string, Field>> {
  const { users, usersPath } = sources;
  const fields = new Map<string, Field>();
  const inInteractions: string[] = [];
  for (const [field] of columnsOf(side)) {
    if (users?.columns.some(({ name }) => name === field)) {
      fields.set(field, tableField(users, usersPath!, field, side.tower));
    } else inInteractions.push(field);
  }
  if (inInteractions.length === 0) return fields;
  const { files } = sources.read.inferred;
  for (const field of inInteractions) {
    if (files.some(({ columns }) => columns.some(({ name }) => name === field))) continue;
    const known = [...files.flatMap(({ columns }) => columns), ...(users?.columns ?? [])].map(({ name }) => name);
    const paths = [...files.map(({ path }) => path), ...(usersPath === undefined ? [] : [usersPath])].join(', ');
    throw new DataError(noColumn(paths, field, `queryTower.features.${columnsOf(side).get(field)!.name}`, known));
  }
  for (const [field, found] of await interactionFields(inInteractions, sources)) fields.set(field, found);
  return fields;
}

function tableField(table: ItemTable, path: string, field: string, reader: string): Field {
  const column = table.columns.find(({ name }) => name === field);
  if (!column)
    throw new DataError(
      noColumn(
        path,
        field,
        reader,
        table.columns.map(({ name }) => name),
      ),
    );
  const cells = new Map(
    table.identifiers.map((identifier, row) => [identifier, { cell: column.values[row]! as Cell, row: row + 1 }]),
  );
  return { cells, path };
}

function noColumn(path: string, field: string, reader: string, known: readonly string[]): string {
  const near = nearestName(field, known);
  const hint =
    near === undefined ? `: the columns are ${known.join(', ')}` : `; the nearest is ${JSON.stringify(near)}`;
  return `${path}: expected a column ${JSON.stringify(field)} for ${reader}, got none${hint}`;
}

/** Columns of the files of interactions: for each user the cell of the last row that has one. */
async function interactionFields(
  names: readonly string[],
  { read, format, signal }: FeatureSources,
): Promise<Map<string, Field>> {
  const cells = names.map(() => new Map<string, { cell: Cell; row: number }>());
  const { files } = read.inferred;
  for (const { path, roles, columns } of files) {
    const table = await openTable(path, format);
    const places = names.map((name) => columns.findIndex((column) => column.name === name));
    const present = places.flatMap((place, i) => (place < 0 ? [] : [i]));
    const asked = [roles.user.column, ...present.map((i) => places[i]!)];
    for await (const batch of table.batches({ columns: asked, signal })) {
      for (let row = 0; row < batch.rows; row++) {
        const user = String(batch.columns[0]![row] ?? '').trim();
        present.forEach((i, at) => {
          const cell = batch.columns[at + 1]![row]!;
          if (cell !== null && cell !== '') cells[i]!.set(user, { cell, row: batch.lineOf(row) });
        });
      }
    }
  }
  const path = files.map((file) => file.path).join(', ');
  return new Map(names.map((name, i) => [name, { cells: cells[i]!, path }]));
}

/** The values in the order of the vocabulary. @throws {DataError} with the first ten values that do not fit the spec */
function checkedValues(side: Side, fields: ReadonlyMap<string, Field>): Record<string, unknown[]> {
  const { vocabulary } = side;
  const columns = [...columnsOf(side)].map(([field, { spec }]): [string, unknown[]] => {
    const { cells } = fields.get(field)!;
    return [field, vocabulary.map((word) => rawValue(spec, cells.get(word)?.cell ?? null))];
  });
  const values = Object.fromEntries(columns);
  const specs = Object.entries(side.specs).filter(([name, { field = name }]) => Object.hasOwn(values, field));
  if (specs.length === 0) return values;
  // Errors name the first rows of the files, so the check goes through them in that order.
  const rowOf = (word: string): number =>
    Math.min(...[...fields.values()].map(({ cells }) => cells.get(word)?.row ?? Number.POSITIVE_INFINITY));
  const order = vocabulary
    .map((word, code) => [rowOf(word), code] as const)
    .sort(([a, first], [b, second]) => (a === b ? first - second : a - b))
    .map(([, code]) => code);
  const learner = new FeatureLearner(Object.fromEntries(specs));
  try {
    learner.add(Object.fromEntries(columns.map(([field, column]) => [field, order.map((code) => column[code])])));
    learner.finish();
  } catch (error) {
    if (!(error instanceof FeatureError)) throw error;
    const words = order.map((code) => vocabulary[code]!);
    throw new DataError(mismatchText({ ...side, vocabulary: words }, fields, error));
  }
  return values;
}

function mismatchText(
  { tower, specs, kind, vocabulary }: Side,
  fields: ReadonlyMap<string, Field>,
  { message, mismatches }: FeatureError,
): string {
  const lines = mismatches.slice(0, NAMED_MAX).map(({ feature, row, message: problem }) => {
    const { field = feature } = specs[feature]!;
    const { cells, path } = fields.get(field)!;
    const word = row === undefined ? undefined : vocabulary[row];
    const at = word === undefined ? undefined : cells.get(word)?.row;
    const where = at === undefined ? `${path}, no row` : `${path}, row ${at}`;
    return `${where}${word === undefined ? '' : ` (${kind} ${JSON.stringify(word)})`}: ${tower}.features.${feature}: ${problem}`;
  });
  const missing = mismatches.some(({ message: problem }) => problem.endsWith('got none'));
  const hint = missing ? '\n"missing": "own" in a feature accepts rows without a value' : '';
  const [, count = String(lines.length)] = /got (\d+) that do not fit/.exec(message) ?? [];
  return `expected values that fit the spec, got ${count} that do not:\n${lines.join('\n')}${hint}`;
}
