/** Reads the spec of `--features`: the path of a JSON file, or the JSON itself, as a configuration file gives it. */
import { readFile } from 'node:fs/promises';
import { DataError, FileError, OptionError } from 'shortlist';
import { systemReason } from 'shortlist/node';
import { checkFeatureModelSpec, type FeatureModelSpec } from 'shortlist/recommenders';
import type { Earlier } from './warm-start.ts';

/** A spec, and the name under which messages speak of it. */
export interface NamedSpec {
  readonly spec: FeatureModelSpec;
  readonly source: string;
}

/**
 * The spec of `--features`; undefined without the option.
 *
 * @throws {FileError} when the file cannot be read
 * @throws {DataError} when it is not JSON, or not a spec; the message names the feature and the option
 */
export async function readFeatureSpec(given: string | undefined): Promise<NamedSpec | undefined> {
  if (given === undefined) return undefined;
  const isJson = given.trimStart().startsWith('{');
  const source = isJson ? '--features' : given;
  const text = isJson ? given : await textOf(given);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DataError(`${source}: expected JSON, got ${(error as Error).message}`);
  }
  try {
    return { spec: checkFeatureModelSpec(json), source };
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new DataError(`${source}: ${error.message}`);
  }
}

function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: Error) => {
    throw new FileError(`${path}: cannot be read: ${systemReason(error)}`, { cause: error });
  });
}

/**
 * The spec of a training: that of `--features`, or that of the earlier model of `--from`.
 *
 * @throws {DataError} when the earlier model has no spec, or another one; the message names the first difference
 */
export function trainingSpec(given: NamedSpec | undefined, earlier: Earlier | undefined): NamedSpec | undefined {
  if (!earlier) return given;
  const { path, chosen, features } = earlier;
  if (!given) return features && { spec: features, source: path };
  if (!features) {
    throw new DataError(
      `${given.source}: expected no spec with --from ${path}, whose model is of the kind ${chosen.model}`,
    );
  }
  const place = firstDifference(features, given.spec, '');
  if (place === undefined) return given;
  throw new DataError(
    `${given.source}: expected the spec of ${path}, with which the training continues, got another one, which differs in ` +
      `${place}; without --from a new model is trained`,
  );
}

/** The path of the first value that differs, such as queryTower.features.age.transform; undefined where none does. */
function firstDifference(a: unknown, b: unknown, at: string): string | undefined {
  if (!isObject(a) || !isObject(b)) return JSON.stringify(a) === JSON.stringify(b) ? undefined : at;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const place = at === '' ? key : `${at}.${key}`;
    const [one, other] = [a, b].map((object) => (Object.hasOwn(object, key) ? object[key] : undefined));
    const found = firstDifference(one, other, place);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
