/** A journal whose requests are known, damaged at a byte, and what must be found in it then. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal, type JournalOptions } from '../../src/journal/journal.ts';
import { HEAD_BYTES } from '../../src/journal/record.ts';
import type { Update } from '../../src/servable/contract.ts';

/** Updates of each request, in the order of the journal. */
const SIZES = [1, 3, 1, 2, 1];

function updateOf(number: number): Update {
  const identifier = `id${number}`;
  if (number % 4 === 3) return { kind: 'delete', identifier };
  if (number % 4 === 1) return { kind: 'seen', user: `user ${number}`, identifier };
  return { kind: 'upsert', identifier, embedding: Float32Array.of(number, -number), attributes: { year: number } };
}

/** The requests of the journal: numbers of their updates. */
export const REQUESTS: readonly (readonly number[])[] = SIZES.map((size, i) => {
  const first = SIZES.slice(0, i).reduce((sum, other) => sum + other, 0);
  return Array.from({ length: size }, (_, j) => first + j);
});

export interface KnownJournal {
  folder: string;
  path: string;
  bytes: Buffer;
  /** Byte where each request begins, and the end. */
  begins: readonly number[];
}

/** Write the journal. */
export async function knownJournal(): Promise<KnownJournal> {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-damaged-'));
  const path = join(folder, 'updates.journal');
  const journal = await Journal.open(path, { everyMs: 1000 }, () => assert.fail('nothing to replay'));
  const begins: number[] = [];
  for (const request of REQUESTS) {
    begins.push(journal.sizeBytes);
    await journal.append(request.map(updateOf));
  }
  begins.push(journal.sizeBytes);
  await journal.close();
  return { folder, path, bytes: readFileSync(path), begins };
}

/** Open a journal; the numbers of the updates that were replayed, each checked to be as it was sent. */
export async function replayNumbers(
  path: string,
  options: JournalOptions = {},
): Promise<{ journal: Journal; numbers: number[] }> {
  const numbers: number[] = [];
  const replay = ({ update }: { update: Update }): undefined => {
    const number = Number(String(update.identifier).slice(2));
    assert.deepEqual(update, updateOf(number));
    numbers.push(number);
  };
  const journal = await Journal.open(path, { everyMs: 1000 }, replay, options);
  return { journal, numbers };
}

/** Copies of damaged journals in a folder. */
export const copiesIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.includes('.damaged-'));

/**
 * Open the journal with damaged bytes: every request but those that the damage touches is replayed, in order; where more
 * than the end is touched a copy is kept; the next opening finds nothing damaged and the same; appending goes on.
 *
 * @param touched numbers of the requests whose bytes are damaged
 */
export async function checkDamaged(
  { folder, path }: KnownJournal,
  damaged: Buffer,
  touched: ReadonlySet<number>,
  what: string,
): Promise<void> {
  writeFileSync(path, damaged);
  const expected = REQUESTS.flatMap((numbers, i) => (touched.has(i) ? [] : numbers));
  const { journal, numbers } = await replayNumbers(path);
  assert.deepEqual(numbers, expected, what);
  const { damage, bytesCut } = journal.recovery;
  const isBehind = expected.some((number) => number > Math.min(...[...touched].map((i) => REQUESTS[i]![0]!)));
  if (isBehind) assert.ok(damage, `${what}: whole requests lie behind the damage`);
  assert.ok(damage !== undefined || bytesCut > 0 || touched.size === 0, `${what}: said`);
  assert.deepEqual(copiesIn(folder), damage ? [damage.copy] : [], what);
  if (damage) assert.deepEqual(readFileSync(join(folder, damage.copy!)), damaged, what);
  await journal.append([updateOf(100)]);
  await journal.close();
  const again = await replayNumbers(path);
  assert.deepEqual(again.numbers, [...expected, 100], what);
  assert.deepEqual([again.journal.recovery.damage, again.journal.recovery.bytesCut], [undefined, 0], what);
  await again.journal.close();
  for (const copy of copiesIn(folder)) rmSync(join(folder, copy));
}

/** The request that a byte belongs to. */
export function requestAt({ begins }: KnownJournal, at: number): number {
  return begins.findLastIndex((begin) => begin <= at);
}

export { HEAD_BYTES };
