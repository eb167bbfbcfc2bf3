/**
 * The functions of the sources as the compiler parses them: constructors, methods, accessors, functions, arrow functions.
 * The compiler's programming interface is not stable yet; package.json fixes its version.
 */
import { join, relative } from 'node:path';
import { isFunctionLikeDeclaration, type Node, type SourceFile } from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

/** A function with a body. */
export interface MeasuredFunction {
  /** Relative to the root, with '/'. */
  file: string;
  /** Its own name, else that of the variable or field that holds it, else ''. */
  name: string;
  /** From 1: where it begins, without its comment. */
  line: number;
  /** First to last line, those of the functions inside it included. */
  lines: number;
}

/** Every function in the files of the given projects (folders with a tsconfig.json, relative to the root). */
export function functionsOf(root: string, projects: readonly string[]): MeasuredFunction[] {
  const api = new API({ cwd: root });
  try {
    return projects.flatMap((folder) => {
      const config = join(root, folder, 'tsconfig.json');
      const project = api.updateSnapshot({ openProject: config }).getProject(config);
      if (!project) throw new Error(`${config}: expected a project, got none`);
      return project.rootFiles.flatMap((path) => {
        const source = project.program.getSourceFile(path);
        if (!source) throw new Error(`${path}: expected to be in ${config}`);
        return functionsIn(source, relative(root, path).replaceAll('\\', '/'));
      });
    });
  } finally {
    api.close();
  }
}

function functionsIn(source: SourceFile, file: string): MeasuredFunction[] {
  const found: MeasuredFunction[] = [];
  const lineAt = (position: number): number => source.text.slice(0, position).split('\n').length;
  const visit = (node: Node): void => {
    if (isFunctionLikeDeclaration(node) && node.body) {
      const line = lineAt(node.getStart(source));
      found.push({ file, name: nameOf(node, source), line, lines: lineAt(node.end) - line + 1 });
    }
    node.forEachChild(visit);
  };
  visit(source);
  return found;
}

function nameOf(node: Node, source: SourceFile): string {
  const { name } = node as { name?: Node };
  if (name) return name.getText(source);
  const holder = node.parent as (Node & { name?: Node }) | undefined;
  return holder?.name?.getText(source) ?? '';
}
