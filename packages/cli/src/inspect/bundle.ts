/** Prints the parts of a bundle. The whole bundle is loaded first, so that all checksums are verified before anything is printed. */
import { stat } from 'node:fs/promises';
import type { Identifier, SeenItems } from 'shortlist';
import { type JsonObject, type Saved, saveIndex } from 'shortlist/format';
import { openBundle } from '../input/bundle.ts';
import { bytes, count, table } from '../terminal/format-numbers.ts';
import type { Environment } from '../terminal/terminal.ts';
import { readTrainingRecord } from '../train/training-record.ts';
import { trainingLines } from './training.ts';

/** A part of a bundle. `sizeBytes` counts its own sections, without the parts inside it. */
interface PartReport {
  readonly part: string;
  readonly kind: string;
  readonly sizeBytes: number;
  readonly settings: JsonObject;
}

/** Print the parts of a bundle, its seen items, its training record and its metadata. */
export async function inspectBundle(path: string, isJson: boolean, { stdout }: Environment): Promise<void> {
  const { index, queryTower, candidateTower, foldIn, seenItems, metadata } = await openBundle(path);
  const { size: sizeBytes } = await stat(path);
  const parts = [
    ...partsOf('index', saveIndex(index)),
    ...(queryTower ? partsOf('queryTower', queryTower.save()) : []),
    ...(candidateTower ? partsOf('candidateTower', candidateTower.save()) : []),
    ...(foldIn ? partsOf('foldIn', foldIn.save()) : []),
    ...(seenItems ? partsOf('seenItems', seenItems.save()) : []),
  ];
  const takes = index.queryModel === undefined ? 'embeddings' : 'raw features';
  const facts = { path, sizeBytes, candidates: index.size, dimensions: index.dimensions, takes };
  if (isJson) {
    const { training } = metadata;
    const event = { event: 'bundle', ...facts, parts, training, metadata: namesWithin(metadata) };
    stdout.write(`${JSON.stringify(event)}\n`);
    return;
  }
  stdout.write(
    `${path}: ${bytes(sizeBytes)}, ${count(index.size)} candidates with ${index.dimensions} dimensions, ` +
      `queries are ${takes}; all checksums are correct\n`,
  );
  const rows = parts.map(({ part, kind, sizeBytes: own }) => [part, kind, bytes(own)]);
  for (const line of table([['part', 'kind', 'bytes'], ...rows])) stdout.write(`${line}\n`);
  for (const { part, settings } of parts) {
    if (Object.keys(settings).length > 0) stdout.write(`${part}: ${JSON.stringify(settings)}\n`);
  }
  if (seenItems) stdout.write(`${seenText(seenItems)}\n`);
  const training = readTrainingRecord(metadata);
  for (const line of training ? trainingLines(training) : []) stdout.write(`${line}\n`);
  for (const [name, within] of Object.entries(namesWithin(metadata))) stdout.write(`metadata.${name}: ${within}\n`);
}

function seenText({ userCount, itemCount, pairCount, sizeBytes, excludeSeen }: SeenItems<Identifier>): string {
  return (
    `seen items: ${count(userCount)} users have seen ${count(itemCount)} items, ${count(pairCount)} pairs in ` +
    `${bytes(sizeBytes)}; ${excludeSeen ? 'left out of results by default' : 'left out of results on request'}`
  );
}

function partsOf(name: string, { kind, settings, sections, parts = {} }: Saved): PartReport[] {
  const own = sections.flatMap((section) => section.bytes).reduce((sum, piece) => sum + piece.length, 0);
  const inner = Object.entries(parts).flatMap(([part, saved]) => partsOf(`${name}/${part}`, saved));
  return [{ part: name, kind, sizeBytes: own, settings }, ...inner];
}

/** A short text for each entry of the metadata: the length of a list, the names in a large object, otherwise the value. */
function namesWithin(metadata: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => {
      if (Array.isArray(value)) return [name, `a list of ${count(value.length)}`];
      if (typeof value !== 'object' || value === null) return [name, JSON.stringify(value)];
      const text = JSON.stringify(value);
      return [name, text.length <= 200 ? text : Object.keys(value).join(', ')];
    }),
  );
}
