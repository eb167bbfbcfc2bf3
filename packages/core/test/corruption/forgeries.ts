/** Forged bundles: their checksums are right and their contents wrong. */
import assert from 'node:assert/strict';
import { bundleFromBytes } from '../../src/bundle/bundle.ts';
import { FormatError, ShortlistError } from '../../src/errors/errors.ts';
import { type LoadedSection, readContainer } from '../../src/format/reader.ts';
import type { Json, JsonObject } from '../../src/format/settings.ts';
import { bytesSource } from '../../src/format/source.ts';
import type { ContainerSection } from '../../src/format/writer.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { vectors } from '../bundle/worlds.ts';
import { containerOf } from '../format/containers.ts';

/** Its own, so that what is left taken can be counted. */
export const runtime: Runtime = new Runtime({ threads: 1 });

/** The memory that an index allocates in addition to its sections; the garbage collector frees it. */
const TABLE_BYTES = 64;
/** Memory of the head of an index in segments: centroids in the kernels' format, and the segment of each leaf. */
const HEAD_BYTES = 1_024;

/** A section with a copy of its bytes, because the block may be freed and used again. */
function toSection({ name, kind, bytes, block }: LoadedSection): ContainerSection {
  const pieces = [bytes.slice()];
  block?.free();
  return { name, kind, pieces };
}
/** The sections of a container. */
export async function sectionsOf(bytes: Uint8Array): Promise<ContainerSection[]> {
  return (await readContainer(bytesSource(bytes), runtime)).map(toSection);
}

/** Load; the one error, or a bundle that answers. Returns whether it was refused. */
export async function refusedOrWorks(sections: ContainerSection[], what: string): Promise<boolean> {
  const used = runtime.heap.usedBytes;
  try {
    const { index, queryTower, seenItems } = await bundleFromBytes(containerOf(sections, runtime), { runtime });
    try {
      seenItems?.add('7', [...seenItems.itemsOf('7'), ...seenItems.itemsOf('new')]);
      seenItems?.save();
      index
        .call(queryTower && queryTower.inputs.length === 1 ? '7' : ({ user: '7', place: 'Oslo' } as never), 3)
        .hits();
      index.queryWithExclusions(vectors(1, index.dimensions, 1, runtime), ['x'], 3);
    } catch (error) {
      assert.ok(error instanceof ShortlistError, `${what}: ${(error as Error).stack}`);
    }
    return false;
  } catch (error) {
    assert.ok(error instanceof FormatError, `${what}: ${(error as Error).stack}`);
    const isSegmented = sections.some(({ name }) => name.includes('segment-'));
    assert.ok(
      runtime.heap.usedBytes <= used + (isSegmented ? HEAD_BYTES : TABLE_BYTES),
      `${what} leaves ${runtime.heap.usedBytes - used} bytes taken`,
    );
    return true;
  }
}

/** Every JSON made from `value` by one change at one place, with the path of the change. */
export function* changes(value: Json, path = ''): Iterable<readonly [string, Json]> {
  for (const other of [null, true, 'x', -1, 0, 1, 1.5, 2 ** 31, 2 ** 53, [], {}, ['x'], { kind: 'tower' }]) {
    if (JSON.stringify(other) !== JSON.stringify(value)) yield [path, other];
  }
  if (Array.isArray(value)) {
    yield [`${path} longer`, [...value, 'x']];
    for (const [i, item] of value.entries()) {
      for (const [at, other] of changes(item, `${path}.${i}`)) yield [at, value.with(i, other)];
    }
  } else if (typeof value === 'object' && value !== null) {
    yield [`${path} more`, { ...value, more: 1 }];
    for (const [key, item] of Object.entries(value)) {
      const { [key]: _, ...rest } = value as JsonObject;
      yield [`${path}.${key} gone`, rest];
      for (const [at, other] of changes(item, `${path}.${key}`)) yield [at, { ...value, [key]: other }];
    }
  }
}
