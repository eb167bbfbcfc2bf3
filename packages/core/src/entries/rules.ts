/**
 * Rules for the list of results of a query (`shortlist/rules`): limits per value, marginal relevance, a score
 * threshold, pinned and blocked candidates. Re-exports only.
 */

// rules
export { bySimilarity } from '../rules/by-similarity.ts';
export { callWithRules, callWithRulesAsync, type RuledIndex } from '../rules/call-with-rules.ts';
export type {
  CandidateAttributes,
  CandidateValue,
  CandidateValues,
  MmrOptions,
  Rules,
  ValueColumn,
} from '../rules/contract.ts';
export { mmrCandidates } from '../rules/marginal-relevance.ts';
