/** The functions of source files: constructors, methods, accessors, functions, arrow functions. */
import { readFileSync } from 'node:fs';
import { parseSync } from 'rolldown/utils';

/** A function with a body. */
export interface MeasuredFunction {
  file: string;
  /** Its own name, else that of the variable or field that holds it, else ''. */
  name: string;
  /** From 1: where it begins, without its comment. */
  line: number;
  /** First to last line, those of the functions inside it included. */
  lines: number;
}

/** A node of ESTree, of which the parts that are read here are named. */
interface Node {
  type: string;
  start: number;
  end: number;
  body?: unknown;
  id?: Node | null;
  key?: Node;
  /** Of an identifier. */
  name?: string;
  method?: boolean;
  kind?: string;
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** Every function in the files of the given paths. @throws {Error} for a file that cannot be parsed */
export function functionsOf(files: readonly string[]): MeasuredFunction[] {
  return files.flatMap((file) => functionsIn(file, readFileSync(file, 'utf8')));
}

function functionsIn(file: string, text: string): MeasuredFunction[] {
  const { program, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: expected TypeScript, got ${errors[0]!.message}`);
  const found: MeasuredFunction[] = [];
  const starts = [...text.matchAll(/\n/g)].map(({ index }) => index + 1);
  const lineAt = (position: number): number => {
    let [low, high] = [0, starts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= position) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
  const visit = (node: Node, parent: Node | undefined): void => {
    if (FUNCTIONS.has(node.type) && node.body) {
      // A method begins with its modifiers and its name, which are of the node around the function.
      const isMethod = parent?.type === 'MethodDefinition' || parent?.method || /^[gs]et$/.test(parent?.kind ?? '');
      const line = lineAt((isMethod ? parent! : node).start);
      found.push({ file, name: nameOf(node, parent, text), line, lines: lineAt(node.end) - line + 1 });
    }
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
        if (typeof (child as Node | null)?.type === 'string') visit(child as Node, node);
      }
    }
  };
  visit(program as unknown as Node, undefined);
  return found;
}

function nameOf(node: Node, parent: Node | undefined, text: string): string {
  const name = node.id ?? parent?.key ?? (parent?.type === 'VariableDeclarator' ? parent.id : undefined);
  if (!name) return '';
  return name.type === 'Identifier' ? name.name! : text.slice(name.start, name.end);
}
