/** Recognises among files the interactions and the items, by their columns and first rows. */
import { readdir } from 'node:fs/promises';
import { assignRoles, openTable, profileTable, type Roles, readItems } from '@shortlist/data';
import { ShortlistError } from 'shortlist';

/** The endings of files that may be tables. */
const TABLES = /\.(csv|tsv|jsonl|ndjson|json|parquet|arrow|feather|dat)(\.(gz|zst))?$/i;
/** JSON files of a project that are not data. */
const NO_DATA = /^(package|package-lock|tsconfig.*|shortlist\.config|.*\.config)\.json$/i;
/** Rows that are read of each file: enough to recognise its columns and to find its items in another file. */
const ROWS_LOOKED_AT = 2000;

/** A file that may hold interactions. */
export interface InteractionsFile {
  readonly path: string;
  readonly roles: Roles;
  /** Identifiers of some of its items, which are looked up in other files to find the table of items. */
  readonly items: readonly string[];
}

/** The findings about a file. */
export interface LookedAt {
  readonly path: string;
  /** Undefined if the file has no columns of users and items. */
  readonly interactions: InteractionsFile | undefined;
  /** The reason why the file cannot be read as a table; undefined if it can. */
  readonly refusal: string | undefined;
}

/** The files of a folder whose names are those of tables, in alphabetical order. */
export async function tablesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() || entry.isSymbolicLink()).map(({ name }) => name);
  return files.filter((name) => TABLES.test(name) && !NO_DATA.test(name)).sort();
}

/** Read the first rows of a file. */
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

/** The roles of the columns. In a file with column names, users and items must be recognised by name; otherwise they are guessed. */
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

/** The file that holds the items of the interactions. Of several, the one with the longest titles: short ones may be identifiers. */
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
