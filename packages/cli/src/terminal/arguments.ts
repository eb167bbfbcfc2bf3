/** Checks of arguments that several commands take: numbers, durations, and where the output is written. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { FileError } from 'shortlist';
import { UsageError } from './command.ts';

/** The number that an option has. @throws {UsageError} when it is none, or out of range */
export function numberOf(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= min && value <= max)) {
    throw new UsageError(`--${name}: expected a number from ${min} to ${max}, got ${JSON.stringify(text)}`);
  }
  return value;
}

/** The whole number that an option has. @throws {UsageError} when it is none, or below `min` */
export function wholeNumberOf(name: string, text: string, min: number): number {
  const value = numberOf(name, text, min, 2 ** 31 - 1);
  if (!Number.isInteger(value)) throw new UsageError(`--${name}: expected a whole number, got ${JSON.stringify(text)}`);
  return value;
}

const SECONDS_OF: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Seconds of a duration: 90s, 5m, 1.5h. @throws {UsageError} when it is none, or not above 0 */
export function secondsOf(name: string, text: string): number {
  const [, number, unit] = /^([0-9]*\.?[0-9]+)\s*([smh])$/.exec(text.trim()) ?? [];
  const seconds = Number(number) * (SECONDS_OF[unit ?? ''] ?? Number.NaN);
  if (!(seconds > 0)) {
    throw new UsageError(`--${name}: expected a duration such as 90s, 5m or 1h, got ${JSON.stringify(text)}`);
  }
  return seconds;
}

/** Which of some words an option is. @throws {UsageError} when it is none of them */
export function wordOf<W extends string>(name: string, text: string, words: readonly W[]): W {
  const found = words.find((word) => word === text);
  if (found === undefined) {
    throw new UsageError(`--${name}: expected ${words.join(', ')}, got ${JSON.stringify(text)}`);
  }
  return found;
}

/**
 * Checks that a file can be written, before an hour of work and not after it.
 *
 * @throws {FileError} when it exists and may not be replaced, or its folder is not there
 */
export function checkOutput(path: string, isForced: boolean): void {
  if (existsSync(path) && !isForced) throw new FileError(`${path}: exists already; --force replaces it`);
  const folder = dirname(path);
  if (!existsSync(folder)) throw new FileError(`${path}: expected a folder ${folder}, there is none`);
}
