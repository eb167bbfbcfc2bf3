/** Finds, among some files, the one that has the interactions and the one that has the items, by their columns and first rows. */
import { readdir } from 'node:fs/promises';
import { assignRoles, openTable, profileTable, type Roles, readItems } from '@shortlist/data';
import { ShortlistError } from 'shortlist';

/** Endings of the tables that a folder is searched for. */
const TABLES = /\.(csv|tsv|jsonl|ndjson|json|parquet|arrow|feather|dat)(\.(gz|zst))?$/i;
/** Files of a project that are JSON and no data. */
const NO_DATA = /^(package|package-lock|tsconfig.*|shortlist\.config|.*\.config)\.json$/i;
/** Rows that are enough to recognise columns and to look up identifiers. */
const ROWS_LOOKED_AT = 2000;

/** A file that may hold interactions. */
export interface InteractionsFile {
  readonly path: string;
  readonly roles: Roles;
  /** Some identifiers of its items, by which the table of items is found. */
  readonly items: readonly string[];
}

/** A file that is a table, with what it may be. */
export interface LookedAt {
  readonly path: string;
  /** Undefined where no two columns are users and items. */
  readonly interactions: InteractionsFile | undefined;
  /** Why it is no table; undefined where it is one. */
  readonly refusal: string | undefined;
}

/** The tables of a folder, by their names. */
export async function tablesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() || entry.isSymbolicLink()).map(({ name }) => name);
  return files.filter((name) => TABLES.test(name) && !NO_DATA.test(name)).sort();
}

/** Look at the first rows of a file. */
export async function lookAt(path: string): Promise<LookedAt> {
  try {
    const table = await openTable(path);
    const { columns } = await profileTable(table, ROWS_LOOKED_AT);
    const roles = rolesOf(table.hasNames, () => assignRoles(path, columns, table.hasNames));
    if (roles === undefined) return { path, interactions: undefined, refusal: undefined };
    const items = new Set<string>();
    for await (const batch of table.batches({ columns: [roles.item.column] })) {
      const cells = batch.columns[0]!;
      for (let i = 0; i < batch.rows && items.size < ROWS_LOOKED_AT; i++) items.add(String(cells[i]));
      break;
    }
    return { path, interactions: { path, roles, items: [...items] }, refusal: undefined };
  } catch (error) {
    if (!(error instanceof ShortlistError)) throw error;
    return { path, interactions: undefined, refusal: error.message };
  }
}

/** The roles of columns. Where columns have names, users and items are known by them: the rest would be a guess. */
function rolesOf(hasNames: boolean, assign: () => Roles): Roles | undefined {
  try {
    const roles = assign();
    const isSure = [roles.user, roles.item].every(({ reason }) => !hasNames || reason === 'by name');
    return isSure ? roles : undefined;
  } catch (error) {
    if (error instanceof ShortlistError) return undefined;
    throw error;
  }
}

/** The file that has the items of the interactions; of several the one with the longest titles, which are no identifiers. */
export async function itemsFileOf(paths: readonly string[], known: readonly string[]): Promise<string | undefined> {
  let [best, letters] = [undefined as string | undefined, -1];
  for (const path of paths) {
    try {
      const { items } = await readItems(path, { known });
      const titles = items.title?.values ?? [];
      const found =
        titles.reduce<number>((sum, title) => sum + String(title ?? '').length, 0) / Math.max(1, titles.length);
      if (found > letters) [best, letters] = [path, found];
    } catch (error) {
      if (!(error instanceof ShortlistError)) throw error;
    }
  }
  return best;
}
