/**
 * Rules about which candidates may stand together in one answer (`shortlist/rules`): at most so many of a value, marginal
 * relevance, a least score, pinned and blocked candidates. Re-exports only.
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
