/** Every parameter of the public interface that is an options object, read off the compiler's types. */
import { join } from 'node:path';
import {
  API,
  type Project,
  type Signature,
  SignatureKind,
  SymbolFlags,
  type Symbol as TsSymbol,
  type Type,
} from 'typescript/unstable/sync';

type Checker = Project['checker'];

/** Options within options within options. */
const DEPTH_MAX = 2;

/**
 * `ScaNN(options)`, `TwoTowerModel.fit(options)`, `saveBundle(contents)`, … of all that the given files export: parameters
 * whose type, or a member of whose union, is an interface or a literal with an optional field.
 */
export function optionsOfApi(root: string, files: readonly string[]): string[] {
  const api = new API({ cwd: root });
  try {
    const config = join(root, 'packages/core/tsconfig.json');
    const { checker, program } = api.updateSnapshot({ openProject: config }).getProject(config)!;
    const found = new Set<string>();
    for (const file of files) {
      const module = checker.getSymbolAtLocation(program.getSourceFile(join(root, file))!)!;
      for (const exported of checker.getExportsOfModule(module)) {
        const symbol = exported.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
        for (const name of optionsOf(symbol, exported.name, checker)) found.add(name);
      }
    }
    return [...found].sort();
  } finally {
    api.close();
  }
}

function optionsOf(symbol: TsSymbol, name: string, checker: Checker): string[] {
  if ((symbol.flags & (SymbolFlags.Function | SymbolFlags.Class)) === 0) return [];
  const type = checker.getTypeOfSymbol(symbol)!;
  const found = [
    ...inSignatures(checker.getSignaturesOfType(type, SignatureKind.Call), name, checker),
    ...inSignatures(checker.getSignaturesOfType(type, SignatureKind.Construct), name, checker),
  ];
  if ((symbol.flags & SymbolFlags.Class) === 0) return found;
  for (const owner of [type, checker.getDeclaredTypeOfSymbol(symbol)!]) {
    for (const member of checker.getPropertiesOfType(owner)) {
      if ((member.flags & SymbolFlags.Method) === 0 || member.name.startsWith('__#')) continue;
      const of = checker.getTypeOfSymbol(member);
      if (!of) continue;
      const signatures = checker.getSignaturesOfType(of, SignatureKind.Call);
      found.push(...inSignatures(signatures, `${name}.${member.name}`, checker));
    }
  }
  return found;
}

function inSignatures(signatures: readonly Signature[], name: string, checker: Checker): string[] {
  return signatures.flatMap((signature) =>
    signature.getParameters().flatMap((parameter) => {
      const type = checker.getTypeOfSymbol(parameter);
      return type ? nested(type, `${name}(${parameter.name})`, checker, 0) : [];
    }),
  );
}

/** The name of options, and of options among their values. */
function nested(type: Type, name: string, checker: Checker, depth: number): string[] {
  const members = membersOf(type).filter((member) => isOptions(member, checker));
  if (members.length === 0) return [];
  const inner = members.flatMap((member) => {
    if (depth === DEPTH_MAX) return [];
    return checker.getPropertiesOfType(member).flatMap((property) => {
      const of = checker.getTypeOfSymbol(property);
      return of ? nested(of, `${name}.${property.name}`, checker, depth + 1) : [];
    });
  });
  return [name, ...inner];
}

function membersOf(type: Type): readonly Type[] {
  return type.isUnionType() ? type.getTypes() : [type];
}

function isOptions(type: Type, checker: Checker): boolean {
  if (type.getSymbol()?.flags && type.getSymbol()!.flags & SymbolFlags.Class) return false;
  if (!type.isObjectType() && !type.isIntersectionType()) return false;
  if (checker.isArrayLikeType(type) || checker.getSignaturesOfType(type, SignatureKind.Call).length > 0) return false;
  return checker.getPropertiesOfType(type).some(({ flags }) => (flags & SymbolFlags.Optional) !== 0);
}
