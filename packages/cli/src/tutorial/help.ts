/** The page of `shortlist tutorial --help`. */
export const HELP: string = `shortlist tutorial: train on MovieLens-100K, evaluate, index, print a shortlist, save and load

Usage: shortlist tutorial [OPTIONS], for example: shortlist tutorial --copies 0 --user 7

Options
  --data DIR       a folder with u.data, u.item and u.user (default: $SHORTLIST_DATA/movielens-100k,
                   the cache, a download, or a synthetic world of the same shape)
  --epochs N       passes over the training part (default 3)
  --seed N         seed of everything random (default 42)
  --user ID        whose shortlist is shown (default 42)
  --save FILE      where the bundle is written (default: a temporary folder)
  --copies N       shrunk copies of every movie in the second half (default 1000: 1.68 million
                   candidates; 0 leaves it out)
  --resume FILE    go on with training that Ctrl-C interrupted
  --embedding WORD compressed tables beside full ones, the first half only, and what they save and
                   cost: cqr, cqr-co-occurrence or any other method of compress (default full)
  --budget SHARE   their share of the full tables' parameters (default 1/4)
  --json           one JSON object a line
`;
