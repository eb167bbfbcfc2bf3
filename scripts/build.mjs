// Builds everything: the WebAssembly kernels (two variants of one AssemblyScript source), TypeScript, the bundles of the library
// and of the program of a replica for Node, and the JSON schemas that TypeScript code describes.
// `--clean` removes the output of a build. `--debug-kernels` makes kernels with function names and assertions, until the next
// build without it. Kernels are compiled again only when their source changed.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildKernels } from './kernels.mjs';
import { writeNodeBundle, writeReplicaBundle } from './node-bundle.mjs';
import { writeWorkerPrograms } from './worker-program.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Files that the build writes beside the sources. */
const GENERATED = [
  'packages/core/assembly/records.generated.ts',
  'packages/core/src/kernels/index-kernels.generated.ts',
  'packages/core/src/kernels/model-kernels.generated.ts',
  'packages/core/src/kernels/multiply-kernels.generated.ts',
  'packages/core/src/kernels/checksum-kernels.generated.ts',
  'packages/core/src/parallel/worker-program.generated.ts',
  'packages/core/src/parallel/segmented-worker-program.generated.ts',
];

if (process.argv.includes('--clean')) {
  for (const folder of ['packages/core', 'packages/data', 'packages/cli', 'packages/server', 'bench', 'examples']) {
    rmSync(join(root, folder, 'build'), { recursive: true, force: true });
  }
  for (const file of GENERATED) rmSync(join(root, file), { force: true });
  process.exit(0);
}

try {
  await buildKernels(root, process.argv.includes('--debug-kernels'));
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
await writeWorkerPrograms(root);

// Compiled files whose source no longer exists are removed. The compiler would leave them, and they would be packed and
// tested.
for (const name of ['core', 'data', 'cli', 'server']) {
  for (const part of ['src', 'test']) {
    const made = join(root, 'packages', name, 'build', part);
    if (!existsSync(made)) continue;
    for (const file of readdirSync(made, { recursive: true })) {
      const [, stem] = /^(.*)\.(?:js|js\.map|d\.ts)$/.exec(file) ?? [];
      if (stem && !existsSync(join(root, 'packages', name, part, `${stem}.ts`))) rmSync(join(made, file));
    }
  }
}

const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'], {
  cwd: root,
  stdio: 'inherit',
});
if (tsc.status !== 0) process.exit(tsc.status ?? 1);
await writeNodeBundle(root);
// The file of the command is marked as executable here, because npm links it at install, before it exists.
chmodSync(join(root, 'packages/cli/build/src/bin.js'), 0o755);

const { configSchema } = await import(pathToFileURL(join(root, 'packages/cli/build/src/config/schema.js')));
writeFileSync(join(root, 'packages/cli/build/config.schema.json'), `${JSON.stringify(configSchema(), null, 2)}\n`);

// The schemas are written as plain JSON. Otherwise every serving process would load the 300 files of TypeBox, which
// takes a sixth of its start.
const schema = join(root, 'packages/server/build/src/shortlist/schema.js');
const constants = Object.entries(await import(pathToFileURL(schema))).map(
  ([name, value]) => `export const ${name} = ${JSON.stringify(value)};\n`,
);
writeFileSync(schema, constants.join(''));
await writeReplicaBundle(root);
