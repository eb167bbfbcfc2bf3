/** Options objects of click models: what each accepts, a misspelling, and the call that takes it. */
import { type Case, clicks, epochs, factorization, full, labelledIds, machine } from './fixtures.ts';
import * as core from './public-api.ts';

export const CLICK_CASES: Record<string, Case> = {
  'MatrixFactorization(options)': {
    valid: { queryTable: full(), candidateTable: full() },
    typo: ['queryTables', 'queryTable'],
    call: (o) => new core.MatrixFactorization(o),
  },
  'MatrixFactorization.fit(options)': { valid: {}, typo: epochs, call: (o) => factorization().fit(clicks, o) },
  'MatrixFactorization.fit(options).clusterings': {
    valid: { every: 1 },
    typo: ['evry', 'every'],
    call: (clusterings) => factorization().fit(clicks, { clusterings }),
  },
  'FactorizationMachine(options)': {
    valid: { tables: [full(), full()] },
    typo: ['table', 'tables'],
    call: (o) => new core.FactorizationMachine(o),
  },
  'FactorizationMachine.fit(options)': { valid: {}, typo: epochs, call: (o) => machine().fit(labelledIds, o) },
  'FactorizationMachine.fit(options).clusterings': {
    valid: { every: 1 },
    typo: ['evry', 'every'],
    call: (clusterings) => machine().fit(labelledIds, { clusterings }),
  },
};
