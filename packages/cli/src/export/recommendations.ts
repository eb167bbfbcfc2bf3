/** The best candidates for each of many queries, searched as `shortlist query` does. */
import type { Bundle, Identifier } from 'shortlist';
import { type Flags, type Query, type SearchRequest, searchRequestOf } from '../query/search-request.ts';

/** A batch of recommendations, as columns with one entry for each. */
export interface RecommendationRows {
  readonly query: string[];
  readonly rank: number[];
  readonly identifier: string[];
  readonly score: number[];
}

/** The recommendations of a batch of queries, in the order of the queries, best first. */
export function recommend(
  bundle: Bundle<Query, Identifier>,
  texts: readonly string[],
  k: number,
  flags: Flags,
): RecommendationRows {
  const rows: RecommendationRows = { query: [], rank: [], identifier: [], score: [] };
  const requests = texts.map((text) => searchRequestOf(text, flags, bundle));
  const together = requests.filter(isPlain);
  const shared =
    together.length > 0
      ? bundle.index.call(
          together.map(({ queries: [query] }) => query),
          { k, exclude: together.map(({ exclude }) => exclude) },
        )
      : undefined;
  let row = 0;
  requests.forEach((request, i) => {
    // A query that is a vector, made from the history of an unknown user, is searched alone; such queries are few.
    const hits = isPlain(request)
      ? shared!.hits(row++)
      : bundle.index.call(request.queries, { k, exclude: request.exclude }).hits();
    for (const [rank, { identifier, score }] of hits.entries()) {
      rows.query.push(texts[i]!);
      rows.rank.push(rank + 1);
      rows.identifier.push(String(identifier));
      rows.score.push(score);
    }
  });
  return rows;
}

function isPlain(request: SearchRequest): request is SearchRequest & { readonly queries: readonly [Query] } {
  return Array.isArray(request.queries);
}
