/**
 * `shortlist restore BUNDLE FOLDER`: copies a bundle, for example a snapshot of `GET /v1/bundle`, into a folder of versions as
 * the newest version. A server that serves the folder loads it within a second.
 *
 * The bundle is checked first. It is copied under another name and then renamed, so that a server never finds an incomplete one.
 */

import { openBundle } from '../input/bundle.ts';
import { copyVersion } from '../input/versions.ts';
import { type Command, UsageError } from '../terminal/command.ts';
import { parseArguments } from '../terminal/parse-arguments.ts';

/** Restore a bundle. */
export const restore: Command = async (argv, { stdout }) => {
  const { positionals } = parseArguments({ args: [...argv], options: {}, allowPositionals: true });
  const [bundle, folder, ...more] = positionals;
  if (bundle === undefined || folder === undefined || more.length > 0) {
    throw new UsageError(`restore: expected a bundle and a folder of versions, got ${positionals.length} arguments`);
  }
  // A bundle that cannot be loaded must not become a version.
  await openBundle(bundle);
  const { version } = await copyVersion(bundle, folder);
  stdout.write(`${bundle} is version ${version} of ${folder}\n`);
  return 0;
};
