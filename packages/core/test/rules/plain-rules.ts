/** Rules computed by their definitions: all candidates sorted, and results chosen one by one. */
import type { MmrOptions, Rules } from '../../src/rules/contract.ts';

/** A candidate with all that rules look at. */
export interface PlainCandidate {
  row: number;
  identifier: string;
  vector: readonly number[];
  attributes: Readonly<Record<string, Value | readonly Value[] | null>>;
}

type Value = string | number | boolean;
type Scored = PlainCandidate & { score: number };

/** The options of a call that are not rules. */
export interface PlainCall {
  k: number;
  exclude?: readonly string[];
  include?: readonly string[];
  filter?: (identifier: string) => boolean;
}

export const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const length = (a: readonly number[]): number => Math.sqrt(dot(a, a));
const cosine = (a: readonly number[], b: readonly number[]): number =>
  length(a) * length(b) > 0 ? dot(a, b) / (length(a) * length(b)) : 0;

const valuesOf = (value: Value | readonly Value[] | null): readonly Value[] =>
  value === null ? [] : Array.isArray(value) ? [...new Set(value)] : [value as Value];

/** Whether a candidate may join some results. */
export function mayJoin(
  candidate: PlainCandidate,
  chosen: readonly PlainCandidate[],
  { perValue = {} }: Rules<string>,
): boolean {
  return Object.entries(perValue).every(([name, most]) =>
    valuesOf(candidate.attributes[name]!).every(
      (value) => chosen.filter(({ attributes }) => valuesOf(attributes[name]!).includes(value)).length < most,
    ),
  );
}

/** The results of a query, whose score is the dot product. */
export function plainRules(
  candidates: readonly PlainCandidate[],
  query: readonly number[],
  rules: Rules<string>,
  call: PlainCall,
): Scored[] {
  const { pin = [], block = [], scoreThreshold = Number.NEGATIVE_INFINITY, mmr } = rules;
  const { k, exclude = [], include, filter = () => true } = call;
  const allowed = candidates
    .filter(({ identifier }) => !exclude.includes(identifier) && !block.includes(identifier))
    .filter(({ identifier }) => (include?.includes(identifier) ?? true) && filter(identifier))
    .map((candidate) => ({ ...candidate, score: dot(query, candidate.vector) }))
    .sort((a, b) => b.score - a.score || a.row - b.row);
  const chosen: Scored[] = [];
  for (const identifier of new Set(pin)) {
    for (const candidate of allowed.filter((other) => other.identifier === identifier)) {
      if (chosen.length < k && mayJoin(candidate, chosen, rules)) chosen.push(candidate);
    }
  }
  const rest = allowed.filter(({ identifier, score }) => !pin.includes(identifier) && score >= scoreThreshold);
  if (mmr) return byMarginalRelevance(rest, query, chosen, { rules, mmr, k });
  for (const candidate of rest) if (chosen.length < k && mayJoin(candidate, chosen, rules)) chosen.push(candidate);
  return chosen;
}

function byMarginalRelevance(
  rest: readonly Scored[],
  query: readonly number[],
  chosen: Scored[],
  { rules, mmr, k }: { rules: Rules<string>; mmr: MmrOptions; k: number },
): Scored[] {
  let wanted = Math.max(mmr.candidates ?? Math.max(100, 4 * k), k - chosen.length);
  for (let pool = rest.slice(0, wanted); chosen.length < k; ) {
    const scale = length(query) * Math.max(0, ...pool.map(({ vector }) => length(vector)));
    const relevance = ({ score, vector }: Scored): number => {
      const redundancy = chosen.length === 0 ? 0 : Math.max(...chosen.map((other) => cosine(vector, other.vector)));
      return mmr.weight * (scale > 0 ? score / scale : 0) - (1 - mmr.weight) * redundancy;
    };
    for (let left = pool; chosen.length < k; ) {
      left = left.filter((candidate) => !chosen.includes(candidate) && mayJoin(candidate, chosen, rules));
      if (left.length === 0) break;
      const most = Math.max(...left.map(relevance));
      chosen.push(left.find((candidate) => relevance(candidate) === most)!);
    }
    if (pool.length < wanted) break;
    wanted *= 2;
    pool = rest
      .filter((candidate) => !chosen.includes(candidate) && mayJoin(candidate, chosen, rules))
      .slice(0, wanted);
  }
  return chosen;
}
