/** The help text and the version. */
import { readFileSync } from 'node:fs';

const manifest: { version: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

/** The version of the command. */
export const VERSION: string = manifest.version;

/** What `shortlist --help` prints. */
export const HELP: string = `shortlist ${VERSION}: the retrieval stage of a recommender

Usage: shortlist COMMAND [OPTIONS]

Commands
  tutorial     train a two-tower model on MovieLens-100K, evaluate it, index the movies,
               print a user's shortlist, save, load, and print the same again

Options of tutorial
  --data DIR       a folder with u.data, u.item and u.user (default: $SHORTLIST_DATA/movielens-100k,
                   the cache, a download, or a synthetic world of the same shape)
  --epochs N       passes over the training part (default 3)
  --seed N         seed of everything random (default 42)
  --user ID        whose shortlist is shown (default 42)
  --save FILE      where the bundle is written (default: a temporary folder)
  --resume FILE    go on with training that Ctrl-C interrupted
  --json           one JSON object a line

Everywhere
  --help, --version
`;
