/** The data sets of the recipes table, read from $SHORTLIST_DATA, with their splits. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Interactions, interactionsOf } from 'shortlist';
import { dictionaryColumn, type InteractionSplit, leaveLastOut, takeInteractions } from 'shortlist/recommenders';

/** The fewest stars of a like. */
const LIKE = 4;
/** Users with fewer likes are left out. */
const LIKES_MIN = 5;

/** movielens-latest-small-2016: likes of users with at least five, the last two of each by time held out. */
export function movieLens(folder: string): InteractionSplit {
  const lines = readFileSync(join(folder, 'movielens-latest-small-2016/ratings.csv'), 'utf8').trim().split('\n');
  const rows = lines.slice(1).map((line) => line.split(','));
  const likes = rows.filter(([, , rating]) => Number(rating) >= LIKE);
  const counts = new Map<string, number>();
  for (const [user] of likes) counts.set(user!, (counts.get(user!) ?? 0) + 1);
  const kept = likes.filter(([user]) => counts.get(user!)! >= LIKES_MIN);
  const interactions = interactionsOf({
    users: dictionaryColumn(kept.map(([user]) => user!)),
    items: dictionaryColumn(kept.map(([, item]) => item!)),
    times: Float64Array.from(kept, ([, , , time]) => Number(time)),
  });
  return leaveLastOut(interactions, { count: 2, minInteractions: LIKES_MIN });
}

/** gowalla: the split in the folder; the model is trained on train and valid. */
export function gowalla(folder: string): InteractionSplit {
  const read = (name: string): string[][] => pairs(readFileSync(join(folder, 'gowalla', name), 'utf8'));
  const train = [...read('train.txt'), ...read('valid.txt')];
  const all = [...train, ...read('test.txt')];
  return cut(all, train.length);
}

/** s3rec-beauty: sequences in the order of time, the last item of each user held out. */
export function beauty(folder: string): InteractionSplit {
  const rows = pairs(readFileSync(join(folder, 's3rec-beauty/Beauty.txt'), 'utf8'));
  return leaveLastOut(columns(rows));
}

/** Lines `user item item …` as pairs of user and item. */
function pairs(text: string): string[][] {
  return text
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [user, ...items] = line.trim().split(' ');
      return items.filter((item) => item !== '').map((item) => [user!, item]);
    });
}

function columns(rows: readonly string[][]): Interactions {
  return interactionsOf({
    users: dictionaryColumn(rows.map(([user]) => user!)),
    items: dictionaryColumn(rows.map(([, item]) => item!)),
  });
}

function cut(rows: readonly string[][], trainRows: number): InteractionSplit {
  const interactions = columns(rows);
  const range = (from: number, to: number): Int32Array => Int32Array.from({ length: to - from }, (_, i) => from + i);
  return {
    train: takeInteractions(interactions, range(0, trainRows)),
    test: takeInteractions(interactions, range(trainRows, rows.length)),
  };
}
