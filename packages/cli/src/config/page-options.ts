/** Reads the options of a command from its help page. The configuration file and its schema use them, so that there is one list. */
import { help } from '../help.ts';

/** An option of a command. */
export interface PageOption {
  /** Without its dashes: `title-column`. */
  readonly name: string;
  /** In a configuration file: `titleColumn`. */
  readonly key: string;
  /** False for an option that is only on or off. */
  readonly hasValue: boolean;
  /** True if `--no-NAME` turns the option off. */
  readonly hasOpposite: boolean;
  readonly description: string;
}

/** A line that begins with one or several options: `  --items FILE     a table of items`. */
const OPTION_LINE = /^ {2}(--[a-z].*)$/;
/** An option, and the word for its value if it has one. */
const OPTION = /--([a-z][a-z-]*)(?: ([A-Z][A-Z]*|[a-z]+(?:\|[a-z]+)+)\b)?/g;
/** The text between an option and its description on the same line. */
const GAP = /\s{2,}/;

/** The options of a command, in the order of its page. */
export function pageOptions(command: string): PageOption[] {
  const found: PageOption[] = [];
  let open: { name: string; hasValue: boolean }[] = [];
  let words: string[] = [];
  const close = (): void => {
    for (const { name, hasValue } of open) {
      const isOpposite = open.some((other) => name === `no-${other.name}`);
      if (isOpposite || found.some((other) => other.name === name)) continue;
      const hasOpposite = open.some((other) => other.name === `no-${name}`);
      found.push({ name, key: keyOf(name), hasValue, hasOpposite, description: words.join(' ') });
    }
    open = [];
    words = [];
  };
  for (const line of help(command).split('\n')) {
    const [, text] = OPTION_LINE.exec(line) ?? [];
    if (text !== undefined) {
      // A line of options that ends with a comma shares the description of the next line.
      if (words.length > 0) close();
      const [options, ...descriptions] = text.split(GAP);
      for (const [, name, value] of options!.matchAll(OPTION)) {
        open.push({ name: name!, hasValue: value !== undefined });
      }
      // A long option leaves one space before its description.
      const rest = options!.replaceAll(OPTION, '').replace(/^[, ]+/, '');
      const description = [rest, ...descriptions].filter((part) => part !== '').join(' ');
      if (description !== '') words.push(description);
    } else if (/^ {4,}\S/.test(line) && open.length > 0) {
      words.push(line.trim());
    } else {
      close();
    }
  }
  close();
  return found;
}

/** `title-column` as a key of an object. */
export function keyOf(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
