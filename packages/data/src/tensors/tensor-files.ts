/** Reads and writes files of named arrays: safetensors, or a single array as NumPy's `.npy`. */
import { open, rename, rm } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { DataError, FileError } from 'shortlist';
import { removeUnfinished, systemReason, unfinishedPath } from 'shortlist/node';
import { checkArgument, OBJECT, objectWith, optionType, STRING } from 'shortlist/options';
import type { Tensor } from 'shortlist/training';
import { npyArray } from '../vectors/npy.ts';
import { npyHeader } from '../writers/batch-formats.ts';
import { readSafetensors, safetensorsBytes } from './safetensors.ts';

const TENSOR = objectWith('a tensor', 'name', 'shape', 'data');
const TENSORS = optionType(
  'a list of tensors',
  (value) => Array.isArray(value) && value.every((each) => TENSOR.accepts(each)),
);
const METADATA = optionType(
  'an object of texts',
  (value) => OBJECT.accepts(value) && Object.values(value as object).every((text) => typeof text === 'string'),
);

/** The endings of files of tensors. */
export const TENSOR_ENDINGS: readonly string[] = ['.safetensors', '.npy'];

/**
 * The tensors of a file, as float32. That of a `.npy` is called after the file.
 *
 * @throws {FileError} when the file cannot be read
 * @throws {DataError} when it has another ending, or is damaged
 */
export async function readTensors(path: string): Promise<Tensor[]> {
  checkArgument('path', path, STRING);
  if (endingOf(path) === '.safetensors') return readSafetensors(path);
  return [{ name: basename(path, '.npy'), ...(await npyArray(path)) }];
}

/**
 * Write tensors. If this fails, an existing file at `path` is unchanged.
 *
 * @param metadata texts that a safetensors file has beside its tensors
 * @throws {DataError} when the ending is of no format, or a `.npy` would have more than one tensor
 * @throws {FileError} when the file cannot be written
 */
export async function writeTensors(
  path: string,
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  checkArgument('path', path, STRING);
  checkArgument('tensors', tensors, TENSORS);
  checkArgument('metadata', metadata, METADATA);
  const isNpy = endingOf(path) === '.npy';
  if (isNpy && tensors.length !== 1) {
    throw new DataError(`${path}: expected one tensor for a .npy, got ${tensors.length}; .safetensors holds several`);
  }
  const pieces = isNpy ? npyBytes(tensors[0]!) : safetensorsBytes(tensors, metadata);
  const unfinished = unfinishedPath(path);
  try {
    const file = await open(unfinished, 'w');
    try {
      for (const piece of pieces) await file.appendFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
    await removeUnfinished(path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw new FileError(`${path}: cannot be written: ${systemReason(error)}`, { cause: error });
  }
}

function npyBytes({ shape, data }: Tensor): Uint8Array[] {
  return [npyHeader(shape), Buffer.from(data.buffer, data.byteOffset, data.byteLength)];
}

function endingOf(path: string): string {
  const ending = extname(path).toLowerCase();
  if (TENSOR_ENDINGS.includes(ending)) return ending;
  throw new DataError(
    `${path}: expected a name with the ending ${TENSOR_ENDINGS.join(' or ')}, got ${ending || 'none'}`,
  );
}
