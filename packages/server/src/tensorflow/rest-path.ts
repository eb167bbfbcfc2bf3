/**
 * TF Serving's REST paths: `/v1/models/NAME[/versions/N | /labels/L]:predict` with POST; the same path with `/metadata`
 * or nothing instead of `:predict` with GET. Names and labels are percent-decoded; `/v1/` is matched in upper and lower
 * case, as in TF Serving.
 */
import type { VersionChoice } from '../models/model-versions.ts';
import { invalidArgument } from '../status/serving-error.ts';

/** The call that a path names. */
export interface RestCall {
  readonly verb: 'predict' | 'classify' | 'regress' | 'status' | 'metadata';
  readonly model: string;
  readonly choice: Readonly<VersionChoice>;
}

/**
 * Cache of parsed paths of predictions, because clients send the same path repeatedly. Its size is bounded, because
 * clients can send any path.
 */
const KNOWN_MAX = 256;
const known = new Map<string, RestCall>();

const POST = /^\/v1\/models\/([^/:]+)(?:(?:\/versions\/(\d+))|(?:\/labels\/([^/:]+)))?:(classify|regress|predict)$/i;
const GET = /^\/v1\/models(?:\/([^/:]+))?(?:(?:\/versions\/(\d+))|(?:\/labels\/([^/:]+)))?(?:\/(metadata))?$/i;

/** Read a method and a path (without query string). @throws {ServingError} INVALID_ARGUMENT `Malformed request: …` */
export function parseRestPath(method: string, path: string): RestCall {
  const before = method === 'POST' ? known.get(path) : undefined;
  if (before) return before;
  const match = (method === 'POST' ? POST : method === 'GET' ? GET : undefined)?.exec(path);
  if (!match) throw invalidArgument(`Malformed request: ${method} ${path}`);
  const [, name, version, label, verb] = match;
  const choice: VersionChoice = {};
  if (version !== undefined) choice.version = parseVersion(version);
  if (label !== undefined) choice.label = decode(label, method, path);
  const model = name === undefined ? '' : decode(name, method, path);
  if (method !== 'POST') return { verb: verb ? 'metadata' : 'status', model, choice };
  const call: RestCall = { verb: verb!.toLowerCase() as RestCall['verb'], model, choice };
  if (known.size === KNOWN_MAX) known.clear();
  known.set(path, call);
  return call;
}

/** The methods that a path accepts; empty if the path is malformed. */
export function methodsOfRestPath(path: string): string[] {
  return [...(POST.test(path) ? ['POST'] : []), ...(GET.test(path) ? ['GET', 'HEAD'] : [])];
}

function parseVersion(digits: string): number {
  const version = Number(digits);
  if (!Number.isSafeInteger(version)) throw invalidArgument(`Failed to convert version: ${digits} to numeric.`);
  return version;
}

function decode(part: string, method: string, path: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalidArgument(`Malformed request: ${method} ${path}`);
  }
}
