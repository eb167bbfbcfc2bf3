/**
 * TF Serving's REST paths: `/v1/models/NAME[/versions/N | /labels/L]:predict` by POST, the same with `/metadata` or
 * nothing by GET. Names and labels are percent-decoded; `/v1/` is matched in any case, as the original does.
 */
import type { VersionChoice } from '../models/model.ts';
import { invalidArgument } from '../status/serving-error.ts';

/** What a path asks for. */
export interface RestCall {
  verb: 'predict' | 'classify' | 'regress' | 'status' | 'metadata';
  model: string;
  choice: VersionChoice;
}

const POST = /^\/v1\/models\/([^/:]+)(?:(?:\/versions\/(\d+))|(?:\/labels\/([^/:]+)))?:(classify|regress|predict)$/i;
const GET = /^\/v1\/models(?:\/([^/:]+))?(?:(?:\/versions\/(\d+))|(?:\/labels\/([^/:]+)))?(?:\/(metadata))?$/i;

/** Read a method and a path (without query string). @throws {ServingError} INVALID_ARGUMENT `Malformed request: …` */
export function parseRestPath(method: string, path: string): RestCall {
  const match = (method === 'POST' ? POST : method === 'GET' ? GET : undefined)?.exec(path);
  if (!match) throw invalidArgument(`Malformed request: ${method} ${path}`);
  const [, name, version, label, verb] = match;
  const choice: VersionChoice = {};
  if (version !== undefined) choice.version = parseVersion(version);
  if (label !== undefined) choice.label = decode(label, method, path);
  return {
    verb: method === 'POST' ? (verb!.toLowerCase() as RestCall['verb']) : verb ? 'metadata' : 'status',
    model: name === undefined ? '' : decode(name, method, path),
    choice,
  };
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
