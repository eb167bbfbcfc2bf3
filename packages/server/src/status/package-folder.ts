/**
 * The folder of this package: its .proto files, its manifest and the program of its replicas are read from there.
 *
 * A bundler that takes the package into a program leaves them behind, and breaks libraries of the server that call
 * `require`. That is found out first, before any of those is loaded: index.ts imports this file before all others.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path. */
export const PACKAGE_FOLDER: string = packageFolder(import.meta.url as string | undefined);

function packageFolder(url: string | undefined): string {
  // CommonJS, which a bundler may make of this, has no URL of its own.
  const folder = url === undefined ? undefined : fileURLToPath(new URL('../../..', url));
  if (folder !== undefined && existsSync(join(folder, 'protos/tensorflow_serving.proto'))) return folder;
  const error = new Error(
    '@shortlist/server: expected its own folder in node_modules, got a bundle; leave it out of the bundle, with esbuild ' +
      'by --external:@shortlist/server (docs/serving.md, "In a bundle")',
  );
  // The places in a bundle that a stack would name tell nothing.
  error.stack = `${error.name}: ${error.message}`;
  throw error;
}
