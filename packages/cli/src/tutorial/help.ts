/** The page of `shortlist tutorial --help`. */
export const HELP: string = `shortlist tutorial: train on MovieLens-100K, evaluate, index, print a shortlist, save and load

Usage: shortlist tutorial [OPTIONS], for example: shortlist tutorial --copies 0 --user 7

Options
  --data DIR       a folder with u.data, u.item and u.user (default: $SHORTLIST_DATA/movielens-100k,
                   the cache, a download, or synthetic data of the same shape)
  --epochs N       passes over the training part (default 3)
  --seed N         seed of all random numbers (default 42)
  --user ID        the user whose shortlist is printed (default 42)
  --save FILE      where the bundle is written (default: a temporary folder)
  --copies N       shrunk copies of every movie in the second half (default 1000: 1.68 million
                   candidates; 0 leaves it out)
  --resume FILE    continue a training that Ctrl-C interrupted, from the file that it wrote
  --embedding WORD also train compressed tables, and compare their size and quality with full tables; the
                   second half is left out. cqr, cqr-als or any other method of shortlist
                   compress (default full: no compressed tables)
  --budget SHARE   the share of the parameters of full tables that compressed ones have (default 1/4)
  --json           one JSON object a line
`;
