/**
 * `shortlist restore BUNDLE FOLDER`: put a bundle, such as a snapshot of `GET /v1/bundle`, into a folder of versions as its
 * newest version. A server that serves the folder loads it, beside what it serves, within a second.
 *
 * The bundle is read and checked first, copied beside the versions and renamed, so that no server finds half of it.
 */
import { parseArgs } from 'node:util';
import { openBundle } from '../input/bundle.ts';
import { copyVersion } from '../input/versions.ts';
import { type Command, UsageError } from '../terminal/command.ts';

/** Restore a bundle. */
export const restore: Command = async (argv, { stdout }) => {
  const { positionals } = parseArgs({ args: [...argv], options: {}, allowPositionals: true });
  const [bundle, folder, ...more] = positionals;
  if (bundle === undefined || folder === undefined || more.length > 0) {
    throw new UsageError(`restore: expected a bundle and a folder of versions, got ${positionals.length} arguments`);
  }
  // What cannot be loaded would replace nothing, and stay as a version that every server fails to load.
  await openBundle(bundle);
  const { version } = await copyVersion(bundle, folder);
  stdout.write(`${bundle} is version ${version} of ${folder}\n`);
  return 0;
};
