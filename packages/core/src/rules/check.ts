/** Checks of rules before a search begins. */
import { nearestName } from '../checks/nearest-name.ts';
import { checkInteger, checkNumber, shown } from '../checks/numbers.ts';
import { LIST, NUMBER, OBJECT, optionsCheck, required } from '../checks/options.ts';
import { OptionError, ShapeError } from '../errors/errors.ts';
import type { Identifier } from '../topk/identifiers.ts';
import type { CandidateValue, CandidateValues, MmrOptions, Rules, ValueColumn } from './contract.ts';

const checkKnown = optionsCheck<Rules<never>>('rules', {
  perValue: OBJECT,
  attributes: OBJECT,
  mmr: OBJECT,
  scoreThreshold: NUMBER,
  pin: LIST,
  block: LIST,
});
const checkMmr = optionsCheck<MmrOptions>('mmr', { weight: required(NUMBER), candidates: NUMBER });

/** The most results with the same value of an attribute. */
export interface ValueLimit {
  attribute: string;
  column: ValueColumn;
  most: number;
}

/**
 * Check rules and return the limits of `perValue`.
 *
 * @param rows rows of the index
 * @throws {OptionError} when a name is unknown, a number out of range, or `perValue` names an unknown attribute
 * @throws {ShapeError} when an attribute does not have one value per row
 */
export function checkRules<I extends Identifier>(rules: Rules<I>, rows: number): readonly ValueLimit[] {
  checkKnown(rules);
  const { perValue = {}, attributes = {}, mmr, scoreThreshold } = rules;
  if (mmr) {
    checkMmr(mmr);
    checkNumber('mmr.weight', mmr.weight, 0, 1);
    if (mmr.candidates !== undefined) checkInteger('mmr.candidates', mmr.candidates, 1);
  }
  if (scoreThreshold !== undefined) checkNumber('scoreThreshold', scoreThreshold, -Number.MAX_VALUE);
  const known = new Map(Object.entries(attributes));
  return Object.entries(perValue).map(([attribute, most]) => {
    const values = known.get(attribute);
    if (values === undefined) throw unknownAttribute(attribute, [...known.keys()]);
    if (typeof most !== 'number') {
      throw new OptionError(`perValue.${attribute}: expected a number of results, got ${shown(most)}`);
    }
    checkInteger(`perValue.${attribute}`, most, 1);
    return { attribute, most, column: isColumn(values) ? values : listedColumn(attribute, values, rows) };
  });
}

function unknownAttribute(attribute: string, known: readonly string[]): OptionError {
  const near = nearestName(attribute, known);
  const expected =
    known.length === 0
      ? 'an attribute of `attributes`, which is empty'
      : near === undefined
        ? `one of the attributes ${known.join(', ')}`
        : `a known attribute, nearest is ${near}`;
  return new OptionError(`perValue: expected ${expected}, got ${shown(attribute)}`);
}

function isColumn(values: CandidateValues | ValueColumn): values is ValueColumn {
  return !Array.isArray(values);
}

/** A list of values by row as a column. */
function listedColumn(attribute: string, values: CandidateValues, rows: number): ValueColumn {
  if (values.length !== rows) {
    throw new ShapeError(`attributes.${attribute}: expected ${rows} values, one per row, got ${values.length}`);
  }
  const valuesOf = (row: number): readonly CandidateValue[] => {
    const value = values[row] ?? null;
    if (value === null) return [];
    return Array.isArray(value) ? [...new Set(value)] : [value as CandidateValue];
  };
  const rowsWith: ValueColumn['rowsWith'] = (wanted) => (row) => {
    const value = values[row] ?? null;
    if (value === null) return false;
    return Array.isArray(value) ? value.some((one) => wanted.has(one)) : wanted.has(value as CandidateValue);
  };
  return { valuesOf, rowsWith };
}
