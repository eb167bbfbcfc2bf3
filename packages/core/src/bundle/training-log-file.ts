/** Writes the log of a training run to a file. */
import { appendFileSync } from 'node:fs';
import { checkArgument, PATH } from '../checks/arguments.ts';
import { type TrainingLog, trainingLog } from '../retrieval/training-log.ts';
import { fileError } from './file.ts';

/**
 * Callbacks for `fit` that append each record to a file of JSON Lines, which is made where there is none.
 *
 * @throws {FileError} when the system refuses; the callbacks throw it, too
 */
export function trainingLogFile(path: string): TrainingLog {
  checkArgument('path', path, PATH);
  const append = (text: string): void => {
    try {
      appendFileSync(path, text);
    } catch (error) {
      throw fileError(error, 'written', path);
    }
  };
  // A path that cannot be written is refused before hours of training.
  append('');
  return trainingLog((line) => append(`${line}\n`));
}
