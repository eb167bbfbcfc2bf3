/** The container: known bytes, round trips, pieces, large sections, and what a writer refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CHUNK_BYTES, Checksum, checksumOf } from '../../src/format/checksum.ts';
import { aligned, type SectionKind } from '../../src/format/layout.ts';
import { readContainer } from '../../src/format/reader.ts';
import { bytesSource } from '../../src/format/source.ts';
import {
  type ContainerSection,
  containerBytes,
  containerSteps,
  STEP_BYTES,
  writeContainer,
  writeContainerAsync,
} from '../../src/format/writer.ts';
import { CHECKSUM_KERNELS } from '../../src/kernels/checksum-kernels.ts';
import { VARIANTS } from '../kernels/variants.ts';
import { containerOf, runtime } from './containers.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A container of one settings section '{}' and one of three bytes; its checksums were computed by another program. */
const TINY = [
  '89534c53540d0a1a 01000000 02000000 c001000000000000', // magic, version 1, 2 sections, 448 bytes
  '00'.repeat(32),
  '0f41d8d59df8add9',
  '01000000 08000000 4001000000000000 0200000000000000 0b548093e20ea80e',
  '73657474696e6773'.padEnd(192, '0'), // settings
  '03000000 03000000 8001000000000000 0300000000000000 a409854fabeaec85',
  '612f62'.padEnd(192, '0'), // a/b
  '7b7d'.padEnd(128, '0'), // {}
  '010203'.padEnd(128, '0'),
];

test('a tiny container has exactly these bytes', () => {
  const bytes = containerOf([
    { name: 'settings', kind: 'settings', pieces: [text('{}')] },
    { name: 'a/b', kind: 'bytes', pieces: [Uint8Array.of(1, 2), Uint8Array.of(3)] },
  ]);
  const expected = TINY.join('').replaceAll(' ', '');
  assert.equal(Buffer.from(bytes).toString('hex'), expected);
});

for (const { variant, runtime: own, skip } of VARIANTS) {
  test(`any sections come back as they were, ${variant}`, { skip }, async () => {
    const section = fc.record({
      kind: fc.constantFrom<SectionKind>('settings', 'memory', 'bytes'),
      pieces: fc.array(fc.uint8Array({ maxLength: 150 }), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(section, { maxLength: 6 }), async (list) => {
        const sections = list.map((rest, i): ContainerSection => ({ name: `section ${i} ü`, ...rest }));
        const bytes = containerOf(sections, own);
        const used = own.heap.usedBytes;
        const loaded = await readContainer(bytesSource(bytes), own);
        for (const [i, { name, kind, pieces }] of sections.entries()) {
          assert.equal(loaded[i]!.name, name);
          assert.equal(loaded[i]!.kind, kind);
          assert.equal(loaded[i]!.block !== undefined, kind === 'memory');
          assert.equal(loaded[i]!.offset % 64, 0);
          assert.deepEqual(Buffer.from(loaded[i]!.bytes), Buffer.concat(pieces));
        }
        for (const { block } of loaded) block?.free();
        assert.equal(own.heap.usedBytes, used);
      }),
      { numRuns: 40, seed: 3 },
    );
  });
}

test('large sections are hashed in place on all threads, to the same checksum as any pieces of a copy', async () => {
  const block = runtime.heap.allocate(9 * CHUNK_BYTES + 64);
  const integers = block.integers(block.sizeBytes / 4);
  for (let i = 0; i < integers.length; i++) integers[i] = Math.imul(i, 0x9e37_79b1);
  const whole = block.bytes();
  const copy = whole.slice();
  const checksum = new Checksum(runtime);
  for (const cut of [1, 12_345, CHUNK_BYTES, 3 * CHUNK_BYTES]) {
    checksum.update(copy.subarray(0, cut)).update(whole.subarray(cut));
    assert.equal(checksum.digest(), checksumOf(whole, runtime));
  }
  checksum.free();
  const bytes = containerOf([{ name: 'large', kind: 'memory', pieces: [whole] }]);
  const [loaded] = await readContainer(bytesSource(bytes), runtime);
  assert.ok(Buffer.compare(loaded!.bytes, copy) === 0);
  loaded!.block!.free();
  block.free();
});

test('more bytes than a chunk of digests stands for have the checksum of all digests', () => {
  const chunkBytes = 32;
  const bytes = Uint8Array.from({ length: 9 * chunkBytes }, (_, i) => i);
  const digests = new BigUint64Array(9);
  // The kernel's hash of a chunk is known from the checksums of the container above.
  const { heap } = runtime;
  const pool = runtime.load(CHECKSUM_KERNELS);
  const block = heap.allocate(bytes.length + digests.byteLength);
  block.bytes().set(bytes);
  pool.run('hashChunks', 9, 1, block.offset, bytes.length, chunkBytes, block.offset + bytes.length);
  digests.set(new BigUint64Array(heap.memory.memory.buffer, block.offset + bytes.length, 9));
  block.bytes().set(new Uint8Array(digests.buffer));
  pool.run('hashChunks', 1, 1, block.offset, digests.byteLength, digests.byteLength, block.offset + bytes.length);
  const expected = new DataView(heap.memory.memory.buffer, block.offset + bytes.length).getBigUint64(0, true);
  assert.equal(new Checksum(runtime, chunkBytes).update(bytes).digest(), expected);
});

test('single reads are small and rest in between, several do not', async () => {
  const content = new Uint8Array((1 << 20) + 64).fill(5);
  const bytes = containerOf([{ name: 'large', kind: 'bytes', pieces: [content] }]);
  const source = bytesSource(bytes);
  for (const [reads, sizes, rests] of [
    [1, [...new Array<number>(8).fill(1 << 17), 64], 9],
    [4, [1 << 20, 64], 0],
  ] as const) {
    const read: number[] = [];
    const { setTimeout } = globalThis;
    let timers = 0;
    globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
      timers++;
      return setTimeout(...args);
    }) as typeof setTimeout;
    try {
      const watched = {
        sizeBytes: source.sizeBytes,
        read: (offset: number, target: Uint8Array) => {
          // The table before is no section.
          if (offset >= 192) read.push(target.length);
          return source.read(offset, target);
        },
      };
      const [loaded] = await readContainer(watched, runtime, { reads });
      assert.deepEqual(Buffer.from(loaded!.bytes), Buffer.from(content));
    } finally {
      globalThis.setTimeout = setTimeout;
    }
    assert.deepEqual([read, timers], [sizes, rests]);
  }
});

test('the sink gets the bytes in order and never the whole', () => {
  const pieces = Array.from({ length: 40 }, (_, i) => new Uint8Array(1000).fill(i));
  const sections: ContainerSection[] = [{ name: 'pieces', kind: 'bytes', pieces }];
  const sizes: number[] = [];
  writeContainer(sections, { write: (bytes) => void sizes.push(bytes.length) }, runtime);
  assert.ok(Math.max(...sizes) <= 1000);
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    containerBytes(sections),
  );
  assert.equal(containerBytes(sections), 64 + 128 + aligned(40_000));
});

test('a step hashes or hands over at most a megabyte, and all steps together are the container', () => {
  const large = runtime.heap.allocate(3 * STEP_BYTES + 64);
  large.bytes().fill(7);
  const sections: ContainerSection[] = [
    { name: 'large', kind: 'memory', pieces: [large.bytes()] },
    { name: 'odd', kind: 'bytes', pieces: [new Uint8Array(STEP_BYTES + 1).fill(1), new Uint8Array(5)] },
  ];
  const written: Uint8Array[] = [];
  let hashed = 0;
  for (const bytes of containerSteps(sections, runtime)) {
    if (bytes) written.push(bytes);
    else hashed++;
  }
  assert.equal(hashed, 4 + 3, 'steps of hashing: 3 MiB and 64 bytes, 1 MiB, 1 byte, 5 bytes');
  assert.ok(Math.max(...written.map(({ length }) => length)) <= STEP_BYTES);
  assert.deepEqual(Buffer.concat(written), Buffer.from(containerOf(sections)));
  large.free();
});

test('written in turns: the same bytes, and the event loop comes around between any two steps', async () => {
  const sections: ContainerSection[] = [
    { name: 'large', kind: 'bytes', pieces: [new Uint8Array(2 * STEP_BYTES + 5).fill(3)] },
  ];
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const written: Uint8Array[] = [];
  const write = async (bytes: Uint8Array): Promise<void> => void written.push(bytes.slice());
  const { jobs } = runtime.pool;
  await writeContainerAsync(sections, { write }, runtime);
  isOver = true;
  assert.ok(turns >= 3 + written.length, `${turns} turns for 3 steps of hashing and ${written.length} writes`);
  assert.equal(runtime.pool.jobs, jobs, 'no step waits for another thread');
  assert.deepEqual(Buffer.concat(written), Buffer.from(containerOf(sections)));
});

test('what a sink refuses in a turn passes as it is, and the scratch is given back', async () => {
  const { usedBytes } = runtime.heap;
  const mistake = new Error('full');
  const sections: ContainerSection[] = [{ name: 'a', kind: 'bytes', pieces: [new Uint8Array(10)] }];
  const write = (): Promise<void> => Promise.reject(mistake);
  await assert.rejects(writeContainerAsync(sections, { write }, runtime), (error) => error === mistake);
  assert.equal(runtime.heap.usedBytes, usedBytes);
});

test('names are 1 to 96 bytes and each once', () => {
  const named = (...names: string[]): (() => Uint8Array) => {
    return () => containerOf(names.map((name) => ({ name, kind: 'bytes', pieces: [] })));
  };
  assert.throws(named(''), { code: 'ERR_OPTION', message: /1 to 96 bytes/ });
  assert.throws(named('ü'.repeat(49)), { code: 'ERR_OPTION' });
  assert.throws(named('a', 'a'), { code: 'ERR_OPTION', message: /a twice/ });
  assert.doesNotThrow(named('ü'.repeat(48)));
});
