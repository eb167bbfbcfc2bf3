/** Parses and checks arguments that several commands have: numbers, durations, words and output paths. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { FileError } from 'shortlist';
import { UsageError } from './command.ts';

/** Parses a number. @throws {UsageError} when the text is not a number, or it is out of range */
export function numberOf(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= min && value <= max)) {
    throw new UsageError(`--${name}: expected a number from ${min} to ${max}, got ${JSON.stringify(text)}`);
  }
  return value;
}

/** Parses a whole number. @throws {UsageError} when the text is not a whole number, or it is below `min` */
export function wholeNumberOf(name: string, text: string, min: number, max: number = 2 ** 31 - 1): number {
  const value = numberOf(name, text, min, max);
  if (!Number.isInteger(value)) throw new UsageError(`--${name}: expected a whole number, got ${JSON.stringify(text)}`);
  return value;
}

const SECONDS_OF: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Parses a duration such as 90s, 5m or 1.5h into seconds. @throws {UsageError} when the text is not a duration above 0 */
export function secondsOf(name: string, text: string): number {
  const [, number, unit] = /^([0-9]*\.?[0-9]+)\s*([smh])$/.exec(text.trim()) ?? [];
  const seconds = Number(number) * (SECONDS_OF[unit ?? ''] ?? Number.NaN);
  if (!(seconds > 0)) {
    throw new UsageError(`--${name}: expected a duration such as 90s, 5m or 1h, got ${JSON.stringify(text)}`);
  }
  return seconds;
}

/** Checks that a text is one of some words. @throws {UsageError} when it is not */
export function wordOf<W extends string>(name: string, text: string, words: readonly W[]): W {
  const found = words.find((word) => word === text);
  if (found === undefined) {
    throw new UsageError(`--${name}: expected ${words.join(', ')}, got ${JSON.stringify(text)}`);
  }
  return found;
}

/**
 * Checks, before the work of a command begins, that its output can be written.
 *
 * @throws {FileError} when the file exists and may not be replaced, or its folder does not exist
 */
export function checkOutput(path: string, isForced: boolean): void {
  if (existsSync(path) && !isForced) throw new FileError(`${path}: exists already; --force replaces it`);
  const folder = dirname(path);
  if (!existsSync(folder)) throw new FileError(`${path}: expected that the folder ${folder} exists, but it does not`);
}
