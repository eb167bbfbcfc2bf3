/** Single queries with rules and seen items, beside the same queries without. */
import { join } from 'node:path';
import { type Interactions, interactionsOf, SeenItems } from 'shortlist';
import { loadBundle } from 'shortlist/node';
import { callWithRules, type Rules } from 'shortlist/rules';
import { isUpdatable } from 'shortlist/topk';
import { type Row, row } from '../harness/rows.ts';
import type { ServedWork } from '../serve/bundle.ts';

const K = 10;
const ROUNDS = 5;
/** Queries of each kind in a round. Kinds are measured in turns, so that other load affects all of them. */
const QUERIES = 40;
/** Values of the attribute, each as frequent. */
const GENRES = 20;
/** Items of a usual and of a heavy user. */
const SEEN = [100, 100_000] as const;

/** The rows of rules and of seen items. */
export async function ruleRows({ basePath, users, candidates, dimensions }: ServedWork): Promise<Row[]> {
  const { index } = await loadBundle<string, string>(join(basePath, '1', 'model.shortlist'));
  if (!isUpdatable(index)) throw new Error('expected an index that holds its candidates');
  const genres = Array.from({ length: index.size }, (_, at) => `genre ${at % GENRES}`);
  const seen = SEEN.map((count) => SeenItems.fromInteractions(historyOf(index.identifiers!.of, index.size, count)));
  const ruled = (rules: Rules<string>) => (user: string) => callWithRules(index, [user], rules, { k: K });
  const excluding = (items: SeenItems) => (user: string) =>
    index.call([user], { k: K, exclude: items.exclusions(['heavy']) });
  const kinds: Readonly<Record<string, (user: string) => unknown>> = {
    plain: (user) => index.call([user], { k: K }),
    'at most 2 of a genre': ruled({ perValue: { genre: 2 }, attributes: { genre: genres } }),
    'mmr 0.7 of 100': ruled({ mmr: { weight: 0.7 } }),
    [`${SEEN[0]} seen items left out`]: excluding(seen[0]!),
    [`${SEEN[1]} seen items left out`]: excluding(seen[1]!),
  };
  const times = new Map(Object.keys(kinds).map((name) => [name, [] as number[]]));
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, ask] of Object.entries(kinds)) {
      for (let i = 0; i < QUERIES; i++) {
        const start = performance.now();
        ask(users[i % users.length]!);
        // The first round does not count, because it also builds tables that are built once.
        if (round >= 0) times.get(name)!.push(performance.now() - start);
      }
    }
  }
  const plain = median(times.get('plain')!);
  return [...times].flatMap(([name, measured]) =>
    name === 'plain'
      ? []
      : row({
          work: `one query over ${candidates} × ${dimensions}, ${name}`,
          ours: median(measured),
          peer: plain,
          unit: 'ms',
          required: { none: true },
          quality: { peer: 'the same query without' },
        }),
  );
}

function historyOf(identifierOf: (row: number) => string, size: number, count: number): Interactions {
  const step = Math.floor(size / count);
  return interactionsOf({
    users: { codes: new Int32Array(count), vocabulary: ['heavy'] },
    items: {
      codes: Int32Array.from({ length: count }, (_, i) => i),
      vocabulary: Array.from({ length: count }, (_, i) => identifierOf(i * step)),
    },
  });
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!;
}
