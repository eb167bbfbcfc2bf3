/**
 * The rules of a query, which its results as a whole must satisfy (`shortlist/rules`). They are applied after
 * exclusions: retrieve → exclude → rules → k.
 */

import type { Identifier, SeenItems } from 'shortlist';
import { type MmrOptions, mmrCandidates, type Rules } from 'shortlist/rules';
import { ruleColumn } from '../attributes/rule-column.ts';
import type { AttributeTable } from '../attributes/table.ts';
import { memberStep } from '../status/place.ts';
import { invalidArgument } from '../status/serving-error.ts';
import { shown } from '../status/shown.ts';
import { suggestion } from '../status/suggestion.ts';
import type { QueryRules, Servable } from './contract.ts';
import { checkIdentifier, heldIdentifier } from './identifiers.ts';

/** The names of the rules. */
export const RULE_NAMES: readonly (keyof QueryRules)[] = ['perValue', 'mmr', 'scoreThreshold', 'pin', 'block'];

/** Most multiplications for marginal relevance. They take about 50 ms, during which no other request is answered. */
const MMR_WORK_MAX = 25_000_000;
/** Most pinned candidates, which is more than an editor would list. */
const PINS_MAX = 1_000;

/** A request that may contain rules. */
type Given = { readonly [Name in keyof QueryRules]?: unknown };

/**
 * Check the rules among the fields of a request; undefined if there is none.
 *
 * @param limits k: results of the query; kMax: most results that a query may ask for
 * @throws {ServingError} INVALID_ARGUMENT, naming the field; for an unknown attribute also the nearest known one
 */
export function checkQueryRules(
  servable: Servable,
  { perValue, mmr, scoreThreshold, pin, block }: Given,
  limits: { k: number; kMax: number },
): QueryRules | undefined {
  const rules: QueryRules = {};
  if (perValue !== undefined) rules.perValue = checkPerValue(servable.attributes, perValue);
  if (mmr !== undefined) rules.mmr = checkMmr(mmr, servable.dimensions, limits);
  if (scoreThreshold !== undefined) {
    if (!isFiniteNumber(scoreThreshold))
      throw invalidArgument(`scoreThreshold: expected a finite number, got ${shown(scoreThreshold)}`);
    rules.scoreThreshold = scoreThreshold;
  }
  if (pin !== undefined) rules.pin = checkList(servable, 'pin', pin);
  if (rules.pin && rules.pin.length > PINS_MAX) {
    throw invalidArgument(`pin: expected at most ${PINS_MAX} identifiers, got ${rules.pin.length}`);
  }
  if (block !== undefined) rules.block = checkList(servable, 'block', block);
  return Object.keys(rules).length === 0 ? undefined : rules;
}

/**
 * Read rules from JSON text, the form in which protocols of tensors send them; '' for none.
 *
 * @throws {ServingError} INVALID_ARGUMENT when the text is no JSON object or names an unknown rule, and as
 * `checkQueryRules` does
 */
export function parseQueryRules(
  servable: Servable,
  text: string,
  limits: { k: number; kMax: number },
): QueryRules | undefined {
  if (text === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidArgument(`rules: expected JSON, got ${JSON.stringify(text.slice(0, 60))}`);
  }
  if (!isObject(value)) throw invalidArgument(`rules: expected a JSON object, got ${shown(value)}`);
  checkNames('rules', value, RULE_NAMES);
  return checkQueryRules(servable, value as Given, limits);
}

/** Convert rules to the form that an index takes: identifiers in its type, and attributes as columns. */
export function heldRules(
  { perValue, mmr, scoreThreshold, pin, block }: QueryRules,
  attributes: AttributeTable,
  { itemType }: SeenItems<Identifier>,
): Rules<Identifier> {
  const held = (list: readonly Identifier[] | undefined): Identifier[] | undefined =>
    list?.flatMap((identifier) => heldIdentifier(itemType, identifier) ?? []);
  const columns = Object.keys(perValue ?? {}).map((name) => [name, ruleColumn(attributes, name)]);
  return { perValue, attributes: Object.fromEntries(columns), mmr, scoreThreshold, pin: held(pin), block: held(block) };
}

function checkPerValue(table: AttributeTable, perValue: unknown): NonNullable<QueryRules['perValue']> {
  if (!isObject(perValue))
    throw invalidArgument(`perValue: expected an object of numbers by attribute, got ${shown(perValue)}`);
  for (const [name, most] of Object.entries(perValue)) {
    if (!table.has(name)) {
      const help = suggestion(name, table.names, 'the candidates have none');
      throw invalidArgument(`perValue${memberStep(name)}: unknown attribute${help}`);
    }
    if (!Number.isSafeInteger(most) || (most as number) < 1) {
      throw invalidArgument(
        `perValue${memberStep(name)}: expected an integer of at least 1, got ${JSON.stringify(most)}`,
      );
    }
  }
  return perValue as NonNullable<QueryRules['perValue']>;
}

function checkMmr(mmr: unknown, dimensions: number, { k, kMax }: { k: number; kMax: number }): MmrOptions {
  if (!isObject(mmr)) throw invalidArgument(`mmr: expected an object with weight, got ${shown(mmr)}`);
  checkNames('mmr', mmr, ['weight', 'candidates']);
  const { weight, candidates } = mmr as { weight?: unknown; candidates?: unknown };
  if (!isFiniteNumber(weight) || weight < 0 || weight > 1) {
    throw invalidArgument(`mmr.weight: expected a number from 0 to 1, got ${JSON.stringify(weight ?? null)}`);
  }
  if (candidates !== undefined && (!Number.isInteger(candidates) || !isFrom1(candidates as number, kMax))) {
    throw invalidArgument(
      `mmr.candidates: expected an integer from 1 to ${kMax}, got ${JSON.stringify(candidates ?? null)}`,
    );
  }
  const usual = Math.min(kMax, mmrCandidates(k));
  const taken = Math.max(k, (candidates as number | undefined) ?? usual);
  const work = k * taken * dimensions;
  if (work > MMR_WORK_MAX) {
    throw invalidArgument(
      `mmr: expected k · candidates · dimensions of at most ${MMR_WORK_MAX}, got ${k} · ${taken} · ${dimensions}; ` +
        'ask for fewer results or give fewer candidates',
    );
  }
  return { weight, candidates: taken };
}

function checkList(servable: Servable, name: string, list: unknown): Identifier[] {
  if (!Array.isArray(list)) throw invalidArgument(`${name}: expected a list of identifiers, got ${shown(list)}`);
  return list.map((id: unknown, i) => {
    if (typeof id === 'string' || typeof id === 'number') {
      return checkIdentifier(servable.identifierDatatype, id, `${name}[${i}]`);
    }
    throw invalidArgument(`${name}[${i}]: expected an identifier, got ${JSON.stringify(id)}`);
  });
}

function checkNames(place: string, value: object, known: readonly string[]): void {
  for (const name of Object.keys(value)) {
    if (!known.includes(name))
      throw invalidArgument(`${place}${memberStep(name)}: unknown name${suggestion(name, known, '')}`);
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isFiniteNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isFrom1 = (value: number, most: number): boolean => value >= 1 && value <= most;
