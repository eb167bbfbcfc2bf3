/** The seeded generator of random numbers (`shortlist/random`). Re-exports only. */

// random
export { Generator } from '../random/generator.ts';
