/**
 * Calls of public functions, constructors and methods with wrong arguments, for the tests of all packages. This module
 * loads nothing of the library, so that each package tests its own errors.
 */

/** A valid call of a public function, constructor or method. */
export interface Call {
  /** The object of the method; without it a function, a constructor or a static method is called. */
  of?: () => unknown;
  /** Valid arguments, all that there are; given what `of` returned. */
  arguments: (of: unknown) => readonly unknown[];
  /** The call needs what a test has not (a download, a whole data set): it may throw an error of the library. */
  fails?: true;
  /** Computes for a second where an argument means the default: such values are left out. */
  isSlow?: true;
}

/** A function, a constructor or a method. */
export interface Target {
  readonly name: string;
  readonly isMethod?: true;
  readonly run: (of: unknown, args: readonly unknown[]) => unknown;
}

/** True for an error of the library, which says what was expected. */
export type IsRefusal = (error: unknown) => boolean;

type Method = (...args: readonly unknown[]) => unknown;

export const WRONG: readonly unknown[] = [
  ...[undefined, null, 'no such file', 5, -1, 1.5, Number.NaN, 1e300, 2 ** 40, 2 ** 53, true, 10n, Symbol('wrong')],
  ...[{}, [], [null], [5], new Uint8Array(3), new Map(), (): number => 1],
];

/** The call of a function that has none in the tables: its first argument alone is replaced. */
export const FIRST: Call = { arguments: () => [undefined] };

/** The functions, constructors and methods with parameters that a module exports. */
export function targetsOf(exported: Readonly<Record<string, unknown>>): Target[] {
  return Object.entries(exported).flatMap(([name, value]): Target[] => {
    if (typeof value !== 'function' || name.endsWith('Error')) return [];
    if (!Function.prototype.toString.call(value).startsWith('class')) {
      return takesArguments(value) ? [{ name, run: (_of, args) => (value as Method)(...args) }] : [];
    }
    const type = value as unknown as { new (...args: readonly unknown[]): unknown; prototype: object };
    const own = methodsOf(type).map((key): Target => {
      const method = (type as unknown as Record<string, Method>)[key]!;
      return { name: `${name}.${key}`, run: (_of, args) => method.apply(type, [...args]) };
    });
    const ofObjects = new Set<string>();
    for (let from = type.prototype; from !== Object.prototype; from = Object.getPrototypeOf(from) as object) {
      for (const key of methodsOf(from)) ofObjects.add(key);
    }
    const methods = [...ofObjects].map((key): Target => {
      return {
        name: `${name}.${key}`,
        isMethod: true,
        run: (of, args) => (of as Record<string, Method>)[key]!(...args),
      };
    });
    const construct: Target = { name, run: (_of, args) => new type(...args) };
    return [...(/constructor\(\s*[^)\s]/.test(type.toString()) ? [construct] : []), ...own, ...methods];
  });
}

function methodsOf(owner: object): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(owner))
    .filter(([key, { value }]) => key !== 'constructor' && typeof value === 'function' && takesArguments(value))
    .map(([key]) => key);
}

/** True where the source text of a function has parameters. */
function takesArguments(value: object): boolean {
  return !/^[^(]*\(\s*\)/.test(Function.prototype.toString.call(value));
}

/** What a call throws that is no error of the library. */
async function faultOf(
  { run }: Target,
  call: Call,
  isRefusal: IsRefusal,
  wrong?: { place: number; value: unknown },
): Promise<unknown> {
  const of = await call.of?.();
  const args = [...call.arguments(of)];
  if (wrong) args[wrong.place] = wrong.value;
  try {
    await run(of, args);
  } catch (error) {
    if (!isRefusal(error) || (!wrong && !call.fails)) return error;
  }
  return undefined;
}

/** The calls of a target, with each wrong value in each place, that throw something else than an error of the library. */
export async function faultsOf(target: Target, call: Call, isRefusal: IsRefusal): Promise<string[]> {
  const faults: string[] = [];
  const { name } = target;
  const fault = call === FIRST ? undefined : await faultOf(target, call, isRefusal);
  if (fault) faults.push(`${name}: the valid call: ${String(fault)}`);
  for (let place = 0; place < call.arguments(await call.of?.()).length; place++) {
    for (const value of call.isSlow ? WRONG.slice(1, -7) : WRONG) {
      const found = await faultOf(target, call, isRefusal, { place, value });
      if (found) faults.push(`${name}, argument ${place}, ${typeof value}: ${String(found)}`);
    }
  }
  return faults;
}

/** `faultsOf` of all targets. A target without a valid call is a fault, and so is a call of what is no target. */
export async function faultsOfAll(
  targets: readonly Target[],
  calls: Readonly<Record<string, Call>>,
  isRefusal: IsRefusal,
): Promise<string[]> {
  const names = new Set(targets.map(({ name }) => name));
  const faults = Object.keys(calls).flatMap((name) => (names.has(name) ? [] : [`${name}: gone or renamed`]));
  for (const target of targets) {
    const call = calls[target.name];
    faults.push(
      ...(call ? await faultsOf(target, call, isRefusal) : [`${target.name}: expected a valid call, got none`]),
    );
  }
  return faults;
}
