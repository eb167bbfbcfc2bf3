/** Writes the log of a training run to a file. */
import { appendFileSync } from 'node:fs';
import { checkArgument, PATH } from '../checks/arguments.ts';
import { type TrainingLog, trainingLog } from '../retrieval/training-log.ts';
import { fileError } from './file.ts';

/**
 * Callbacks that append each record to a file of JSON Lines, which is made at the first record. They throw a FileError when
 * the system refuses, which ends a fit at its first step.
 *
 * @throws {OptionError} when the path is none
 */
export function trainingLogFile(path: string): TrainingLog {
  checkArgument('path', path, PATH);
  return trainingLog((line) => {
    try {
      appendFileSync(path, `${line}\n`);
    } catch (error) {
      throw fileError(error, 'written', path);
    }
  });
}
