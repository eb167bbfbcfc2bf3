/**
 * Compares measures of similarity between candidates. For each user with held-out items, it searches for candidates similar to
 * the last item of the training part; the items of the training part are left out.
 *
 *   npm run bench:similar
 *
 * The rows have the recall@10 of the held-out items, the share of the catalogue that is a result at all, and the share of the
 * results that are among the 100 most popular items. A measure that finds popular items for every query has a small and a
 * large share. The data are movielens-latest-small-2016 in $SHORTLIST_DATA.
 */
import { type BruteForce, fitRecommender, Matrix, similar } from 'shortlist';
import { finish, type Row, row } from '../harness/rows.ts';
import { movieLens } from './datasets.ts';

const K = 10;
/** Items that count as popular: 1.6 % of the catalogue. */
const POPULAR = 100;

const data = process.env.SHORTLIST_DATA;
if (data === undefined) throw new Error('SHORTLIST_DATA: expected the folder of the data sets, got none');
const { train, test } = movieLens(data);
const word = (item: number): string => train.items.vocabulary[item]!;

const histories = new Map<string, string[]>();
train.users.codes.forEach((user, i) => {
  const name = train.users.vocabulary[user]!;
  const history = histories.get(name) ?? [];
  history.push(word(train.items.codes[i]!));
  histories.set(name, history);
});
const counts = new Map<string, number>();
for (const item of train.items.codes) counts.set(word(item), (counts.get(word(item)) ?? 0) + 1);
const popular = new Set(
  [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, POPULAR)
    .map(([item]) => item),
);
const heldOut = new Map<string, Set<string>>();
test.users.codes.forEach((user, i) => {
  const name = test.users.vocabulary[user]!;
  const items = heldOut.get(name) ?? new Set<string>();
  items.add(test.items.vocabulary[test.items.codes[i]!]!);
  heldOut.set(name, items);
});

type Ask = (index: BruteForce<string, string>, item: string, exclude: string[]) => string[];
const MEASURES: Readonly<Record<string, Ask>> = {
  cosine: (index, item, exclude) => similar(index, item, { k: K, exclude }).identifiers(),
  'dot product': (index, item, exclude) => {
    const vector = Matrix.from('item', index.candidateVectors([item]));
    const found = index.call(vector, { k: K, exclude }).identifiers();
    vector.free();
    return found;
  },
};
const MODELS = [
  { model: 'als', settings: { dimensions: 64, unobservedWeight: 0.3, regularization: 0.003, iterations: 8 } },
  { model: 'two-tower', settings: { dimensions: 32, temperature: 1, unitLength: 0, epochs: 8 } },
] as const;

const rows: Row[] = [];
for (const chosen of MODELS) {
  const { index } = await fitRecommender(train, chosen);
  const figures = Object.entries(MEASURES).map(([name, ask]) => ({ name, ...evaluate(index, ask) }));
  for (const { name, recall, coverage, popularShare } of figures) {
    rows.push(
      row({
        work: `similar items of ${chosen.model} ${JSON.stringify(chosen.settings)}: ${name}`,
        ours: recall,
        peer: null,
        unit: `recall@${K}`,
        required: { none: true },
        quality: { 'share of the catalogue': coverage, [`results among the ${POPULAR} most popular`]: popularShare },
      }),
    );
  }
}
finish('similar', rows, false);

function evaluate(
  index: BruteForce<string, string>,
  ask: Ask,
): { recall: number; coverage: number; popularShare: number } {
  let [found, answers, popularAnswers] = [0, 0, 0];
  const shown = new Set<string>();
  for (const [user, wanted] of heldOut) {
    const history = histories.get(user)!;
    const answer = ask(index, history.at(-1)!, history);
    found += answer.filter((item) => wanted.has(item)).length / wanted.size / heldOut.size;
    answers += answer.length;
    popularAnswers += answer.filter((item) => popular.has(item)).length;
    for (const item of answer) shown.add(item);
  }
  return {
    recall: found,
    coverage: shown.size / train.items.vocabulary.length,
    popularShare: popularAnswers / answers,
  };
}
