/** Bundles of the test programs of this folder, by esbuild as a WebAssembly module: the same bundler, no install script. */
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild-wasm';

/** Bundle a compiled program of this folder; its one file as bytes. */
export async function bundleOf(name: string, options: BuildOptions): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(name, import.meta.url))],
    bundle: true,
    write: false,
    outfile: 'bundle.js',
    logLevel: 'error',
    ...options,
  });
  return outputFiles![0]!.contents;
}
