/** The kernels' names and arguments: the compiled ones and the table of TypeScript have the same, in the same order. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CHECKSUM_KERNELS } from '../../src/kernels/checksum-kernels.ts';
import { INDEX_KERNELS } from '../../src/kernels/index-kernels.ts';
import { MODEL_KERNELS } from '../../src/kernels/model-kernels.ts';
import { MULTIPLY_KERNELS } from '../../src/kernels/multiply-kernels.ts';
import { referenceKernels } from '../../src/kernels/reference/index.ts';
import { compileKernels } from '../../src/kernels/wasm.ts';
import { LinearMemory } from '../../src/memory/linear-memory.ts';

const SETS = [INDEX_KERNELS, MODEL_KERNELS, MULTIPLY_KERNELS, CHECKSUM_KERNELS];
const PARALLEL = SETS.flatMap(({ parallel }) => parallel);
const CORE = new URL('../../../', import.meta.url);

/** Argument names of each function that `pattern` finds in the files of a folder: its name, then its arguments. */
function signatures(folder: string, pattern: RegExp): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const file of readdirSync(new URL(folder, CORE)).filter((name) => name.endsWith('.ts'))) {
    const text = readFileSync(new URL(folder + file, CORE), 'utf8');
    for (const [, name, list] of text.matchAll(pattern)) {
      found.set(
        name!,
        [...list!.matchAll(/(\w+): /g)].map(([, argument]) => argument!),
      );
    }
  }
  return found;
}

test('the compiled kernels are those of the reference', () => {
  const names = Object.keys(referenceKernels(new LinearMemory())).sort();
  const compiled = SETS.flatMap((set) => WebAssembly.Module.exports(compileKernels(set, 'simd128'))).filter(
    ({ kind }) => kind === 'function',
  );
  assert.deepEqual(compiled.map(({ name }) => name).sort(), names);
  assert.deepEqual(
    PARALLEL.filter((name) => !names.includes(name)),
    [],
  );
});

test('a kernel names its arguments alike in the assembly and in TypeScript', () => {
  const assembly = signatures('assembly/', /export function (\w+)\(([^)]*)\)/g);
  const families = signatures('src/kernels/families/', /^ {2}(\w+)\(([^)]*)\): (?:void|number);/gm);
  assert.ok(families.size > 30);
  for (const [name, list] of families) assert.deepEqual(assembly.get(name), list, name);
  for (const name of PARALLEL) assert.deepEqual(families.get(name)!.slice(0, 3), ['begin', 'end', 'slot'], name);
});

test('no kernel takes more than eight arguments after its work items; records have one name each', () => {
  const families = signatures('src/kernels/families/', /^ {2}(\w+)\(([^)]*)\): (?:void|number);/gm);
  for (const [name, list] of families) {
    const own = list.filter((argument) => !['begin', 'end', 'slot'].includes(argument));
    assert.ok(own.length <= 8, `${name}: ${own.length} arguments`);
  }
  const records = SETS.flatMap((set) => set.records.map(({ name }) => name));
  assert.equal(new Set(records).size, records.length);
});
