// Bundles programs for Node: packages/core, in build/node the entry points and one file with everything that they export, and
// the program of a replica of packages/server, in build/node/replica.
//
// Node takes about 1 ms of CPU for each module that it loads, however small: the 330 modules of core take 0.35 s, their bundle
// 0.04 s; the 110 of a replica take 0.1 s. The condition "node" of core's exports leads to its bundle. A bundler takes the
// condition "module" before it, with the single modules, of which it drops those that a program does not use.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The positions in the bundle are those of the TypeScript sources, not of what the compiler made of them. */
const sourceMaps = {
  name: 'source maps of the compiler',
  load(file) {
    const map = `${file}.map`;
    return existsSync(map) ? { code: readFileSync(file, 'utf8'), map: readFileSync(map, 'utf8') } : null;
  },
};

/** Write build/node of packages/core, unless it is up to date with what the compiler has written. */
export async function writeNodeBundle(root) {
  const folder = join(root, 'packages/core/build');
  const sources = join(folder, 'src');
  const names = ['index', ...entryNames(join(sources, 'entries'))];
  await writeBundle(folder, join(folder, 'node'), {
    input: Object.fromEntries(names.map((name) => [name, join(sources, `${name}.js`)])),
    output: { codeSplitting: { groups: [{ name: 'library', test: /./ }] } },
  });
}

/**
 * Write the program of a replica, unless it is up to date. Its dependencies stay outside. The folder is as deep as those of
 * the modules, because one of them looks for the folder of the package from its own.
 */
export async function writeReplicaBundle(root) {
  const folder = join(root, 'packages/server/build');
  await writeBundle(folder, join(folder, 'node/replica'), {
    input: { main: join(folder, 'src/replicas/main.js') },
    external: (name) => !/^[./]|^[a-z]:/i.test(name),
    output: {},
  });
}

/** Bundle what the compiler has written into `folder`, for Node. */
async function writeBundle(folder, to, { output, ...options }) {
  // Inside, so that the digest is removed with the bundle.
  const digestFile = join(to, 'sources.sha256');
  const digest = createHash('sha256')
    // The compiler's record has the digest of every source.
    .update(readFileSync(join(folder, '.tsbuildinfo')))
    .update(readFileSync(new URL(import.meta.url)))
    .digest('hex');
  if (existsSync(digestFile) && readFileSync(digestFile, 'utf8') === digest) return;
  const { build } = await import('rolldown');
  await build({
    ...options,
    platform: 'node',
    plugins: [sourceMaps],
    logLevel: 'warn',
    // On a busy machine rolldown would advise to make `sourceMaps` faster.
    checks: { bundlerTimings: false },
    output: {
      ...output,
      dir: to,
      cleanDir: true,
      entryFileNames: '[name].js',
      chunkFileNames: '[name].js',
      sourcemap: true,
      // Names of classes and functions are in messages and profiles.
      keepNames: true,
    },
  });
  writeFileSync(digestFile, digest);
}

function entryNames(folder) {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.js'))
    .map((file) => `entries/${file.slice(0, -'.js'.length)}`);
}
