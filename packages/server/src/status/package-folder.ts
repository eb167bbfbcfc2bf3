/**
 * The folder of this package, from which its .proto files, its manifest and the program of its replicas are read.
 *
 * A bundler that includes the package in a program does not copy these files, and breaks libraries of the server that
 * call `require`. This file detects that before any of those is loaded, because index.ts imports it first.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path. */
export const PACKAGE_FOLDER: string = packageFolder(import.meta.url as string | undefined);

function packageFolder(url: string | undefined): string {
  // A bundler may convert this module to CommonJS, which has no `import.meta.url`.
  const folder = url === undefined ? undefined : fileURLToPath(new URL('../../..', url));
  if (folder !== undefined && existsSync(join(folder, 'protos/tensorflow_serving.proto'))) return folder;
  const error = new Error(
    '@shortlist/server: expected its own folder in node_modules, got a bundle; leave it out of the bundle, with esbuild ' +
      'by --external:@shortlist/server (docs/serving.md, "In a bundle")',
  );
  // The stack would name positions in the bundle, which do not help the reader.
  error.stack = `${error.name}: ${error.message}`;
  throw error;
}
