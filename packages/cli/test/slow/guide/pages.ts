/**
 * The code blocks of the guide's pages. The word after the language says how a block is run:
 *
 *   ```sh          commands, run in order by a shell
 *   ```sh server   a command that serves until the page is done
 *   ```ts          a program; all of a page are one module
 *   ```sh nightly.sh   a file that is written and run by later commands
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One fenced block. */
export interface CodeBlock {
  readonly language: string;
  readonly word: string;
  readonly text: string;
}

/** The blocks of a Markdown text, in order. */
export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(([, language, word = '', text]) => ({
    language: language!,
    word,
    text: text!,
  }));
}

/** The pages of a folder with their blocks. */
export function pagesOf(folder: string): { name: string; blocks: CodeBlock[] }[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.md'));
  return names.map((name) => ({ name, blocks: codeBlocks(readFileSync(join(folder, name), 'utf8')) }));
}
