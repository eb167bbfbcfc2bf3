/**
 * A fingerprint of the data of trials and of their evaluation. A search only reuses trials that have its own
 * fingerprint.
 */
import type { Interactions } from '../data/interactions.ts';
import type { InteractionSplit } from '../data/split.ts';
import { Checksum } from '../format/checksum.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { FeatureModelData } from './feature-model.ts';

/**
 * Incremented when a recipe fits a different model with the same settings, so that trials of an earlier release are not
 * reused.
 */
const RECIPES_VERSION = 1;

/** A checksum of the parts of a validation, of k, of the seed and of the features of a model, in hexadecimal. */
export function fingerprintOf(
  { train, test }: InteractionSplit,
  { k, seed, features }: { k: number; seed: number; features?: FeatureModelData | undefined },
  runtime: Runtime,
): string {
  const checksum = new Checksum(runtime);
  const text = new TextEncoder();
  checksum.update(text.encode(JSON.stringify([RECIPES_VERSION, k, seed, train.length, test.length])));
  // Both parts have the same vocabularies.
  for (const { vocabulary } of [train.users, train.items]) checksum.update(text.encode(JSON.stringify(vocabulary)));
  for (const part of [train, test]) for (const column of columnsOf(part)) checksum.update(bytesOf(column));
  if (features) checksum.update(text.encode(JSON.stringify(features, withBigInts)));
  const digest = checksum.digest();
  checksum.free();
  return digest.toString(16).padStart(16, '0');
}

function columnsOf({ users, items, times, weights }: Interactions): (Int32Array | Float64Array | Float32Array)[] {
  return [users.codes, items.codes, ...(times ? [times] : []), ...(weights ? [weights] : [])];
}

function bytesOf({ buffer, byteOffset, byteLength }: Int32Array | Float64Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** JSON has no big integers. */
function withBigInts(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
