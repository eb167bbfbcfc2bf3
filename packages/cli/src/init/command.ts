/**
 * `shortlist init FILE…`: recognises interactions and items among files, and writes a configuration file for the other
 * commands.
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { describeFindings, describeInteractions, readInteractions } from '@shortlist/data';
import { DataError, FileError } from 'shortlist';
import { CONFIG_FILES } from '../config/config-file.ts';
import type { ShortlistConfig } from '../config/contract.ts';
import { readOptions } from '../input/interactions.ts';
import { type Command, UsageError } from '../terminal/command.ts';
import { parseArguments } from '../terminal/parse-arguments.ts';
import { type Environment, Terminal } from '../terminal/terminal.ts';
import { replaceText } from '../terminal/text-file.ts';
import { type InteractionsFile, itemsFileOf, lookAt, tablesOf } from './find-files.ts';

const OPTIONS = { out: { type: 'string' }, force: { type: 'boolean', default: false } } as const;

const CONFIG = 'shortlist.config.json';
/** The path of the schema in a project that has installed the command; editors check and complete the file by it. */
const SCHEMA = './node_modules/@shortlist/cli/build/config.schema.json';

/** Propose a configuration. */
export const init: Command = async (argv, environment) => {
  const { values, positionals } = parseArguments({ args: [...argv], options: OPTIONS, allowPositionals: true });
  const existing = CONFIG_FILES.find((file) => existsSync(file));
  if (existing !== undefined && !(existing === CONFIG && values.force)) {
    throw new FileError(`${existing}: exists already${existing === CONFIG ? '; --force replaces it' : ''}`);
  }
  const terminal = new Terminal(environment);
  const isNamed = positionals.length > 0;
  const looked = await Promise.all((isNamed ? positionals : await tablesOf('.')).map(lookAt));
  for (const { path, refusal } of looked) {
    if (refusal === undefined) continue;
    if (isNamed) throw new DataError(refusal);
    terminal.note(`${path} is left out: ${refusal}`);
  }
  const tables = looked.filter(({ refusal }) => refusal === undefined);
  const found = tables.flatMap(({ interactions }) => interactions ?? []);
  const chosen = await chooseInteractions(found, environment, terminal);
  const others = tables.map(({ path }) => path).filter((path) => path !== chosen.path);
  const items = await itemsFileOf(others, chosen.items);
  const read = await readInteractions(chosen.path, readOptions({}, terminal, environment.signal));
  terminal.clear();
  for (const line of [...describeInteractions(read), ...describeFindings(read)]) terminal.line(line);
  terminal.line(
    items === undefined ? 'no table of items was found, so results will have no titles' : `items: ${items}`,
  );
  const { like } = read.inferred;
  const out = values.out ?? `${basename(items ?? chosen.path).replace(/(?<=.)\..*$/, '')}.shortlist`;
  const config: ShortlistConfig = {
    train: { files: chosen.path, ...(items !== undefined && { items }), ...(like !== undefined && { like }), out },
    serve: { files: out },
  };
  await replaceText(CONFIG, `${JSON.stringify({ $schema: SCHEMA, ...config }, null, 2)}\n`);
  terminal.line(`${CONFIG} was written. Next: shortlist train, shortlist query ${out} USER, shortlist serve`);
  return 0;
};

/** The only file of interactions, or the only one with ratings, or the one that the user chooses at the terminal. */
async function chooseInteractions(
  found: readonly InteractionsFile[],
  { ask }: Environment,
  terminal: Terminal,
): Promise<InteractionsFile> {
  const [first, ...more] = found;
  if (first === undefined) {
    throw new DataError(
      'init: expected a file with columns of users and items, got none; shortlist inspect FILE describes a file',
    );
  }
  if (more.length === 0) return first;
  const paths = found.map(({ path }) => path);
  const rated = found.filter(({ roles }) => roles.value !== undefined);
  if (rated.length === 1) {
    const others = paths.filter((path) => path !== rated[0]!.path).join(', ');
    terminal.note(`${rated[0]!.path} is used as the file of interactions, because ${others} has no ratings`);
    return rated[0]!;
  }
  if (ask === undefined) {
    throw new UsageError(
      `init: expected one file of interactions, got ${paths.join(', ')}; name that file and the file of items`,
    );
  }
  const answer = await ask(
    `Which file has the interactions? ${paths.map((path, i) => `${i + 1} ${path}`).join(', ')}: `,
  );
  const number = Number(answer.trim());
  const chosen = found[number - 1] ?? found.find(({ path }) => path === answer.trim());
  if (chosen === undefined)
    throw new UsageError(`init: expected a number from 1 to ${found.length}, got ${JSON.stringify(answer)}`);
  return chosen;
}
