// Checks the source of the kernels with the types of TypeScript (assembly/tsconfig.json) and the rules of Biome. Biome does not
// parse decorators on functions, so it gets copies of the files in which they are replaced by spaces.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeKernelRecords } from './kernel-records.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const assembly = join(root, 'packages/core/assembly');
/** Rules that do not apply to AssemblyScript: == does not convert, and constants may be rounded. */
const RULES = {
  complexity: { noUselessLoneBlockStatements: 'error' },
  correctness: {
    noPrecisionLoss: 'off',
    noUnusedFunctionParameters: 'off',
    noUnusedImports: 'error',
    noUnusedVariables: 'error',
  },
  style: { useImportType: 'off' },
  suspicious: { noApproximativeNumericConstant: 'off', noDoubleEquals: 'off', noTsIgnore: 'off' },
};

await writeKernelRecords(root);
const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', assembly], {
  cwd: root,
  stdio: 'inherit',
});
const copies = mkdtempSync(join(tmpdir(), 'lint-assembly-'));
let biome;
try {
  for (const name of readdirSync(assembly).filter((file) => file.endsWith('.ts') && !file.includes('.generated.'))) {
    const text = readFileSync(join(assembly, name), 'utf8');
    writeFileSync(
      join(copies, name),
      text.replace(/^@inline /gm, (decorator) => ' '.repeat(decorator.length)),
    );
  }
  writeFileSync(
    join(copies, 'biome.json'),
    JSON.stringify({ root: true, formatter: { enabled: false }, linter: { rules: RULES } }),
  );
  const program = join(root, 'node_modules/@biomejs/biome/bin/biome');
  biome = spawnSync(process.execPath, [program, 'lint', '--error-on-warnings', '.'], { cwd: copies, stdio: 'inherit' });
} finally {
  rmSync(copies, { recursive: true, force: true });
}
process.exit(tsc.status || biome.status || 0);
