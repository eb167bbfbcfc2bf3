/** The format of a file, recognised by its first bytes and, for vector formats without a magic number, by its name. */
import { open, stat } from 'node:fs/promises';
import { FileError } from 'shortlist';
import { kindOfEntry, systemReason } from 'shortlist/node';

/** The first bytes of a bundle: docs/format.md. */
const BUNDLE_MAGIC = '\x89SLST';
const NPY_MAGIC = '\x93NUMPY';
const VECTORS = /\.(npy|[fbi]vecs|fbin|u8bin|i8bin|f16bin|ibin|bin)$/i;

/** The kind of a file. @throws {FileError} when there is none, or it may not be read */
export async function kindOfFile(path: string): Promise<'bundle' | 'vectors' | 'interactions'> {
  const found = await stat(path).catch((error: Error) => {
    throw new FileError(`${path}: cannot be read: ${systemReason(error)}`, { cause: error });
  });
  if (!found.isFile()) throw new FileError(`${path}: expected a file, got ${kindOfEntry(found)}`);
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
    const head = buffer.toString('latin1', 0, bytesRead);
    if (head.startsWith(BUNDLE_MAGIC)) return 'bundle';
    return head.startsWith(NPY_MAGIC) || VECTORS.test(path) ? 'vectors' : 'interactions';
  } finally {
    await file.close();
  }
}
