/** The readable form of the checksum kernel (packages/core/assembly/checksum.ts): XXH64 with 64-bit BigInt arithmetic. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import type { ChecksumKernels } from '../families/checksum.ts';

const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

const wrap = (x: bigint): bigint => BigInt.asUintN(64, x);
const rotateLeft = (x: bigint, by: bigint): bigint => wrap((x << by) | (x >> (64n - by)));
const round = (lane: bigint, input: bigint): bigint => wrap(rotateLeft(wrap(lane + input * P2), 31n) * P1);

function xxh64(bytes: DataView): bigint {
  const length = bytes.byteLength;
  let at = 0;
  let hash = P5;
  if (length >= 32) {
    const lanes = [wrap(P1 + P2), P2, 0n, wrap(-P1)];
    for (; at + 32 <= length; at += 32) {
      for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i]!, bytes.getBigUint64(at + 8 * i, true));
    }
    const turns = [1n, 7n, 12n, 18n];
    hash = wrap(lanes.reduce((sum, lane, i) => sum + rotateLeft(lane, turns[i]!), 0n));
    for (const lane of lanes) hash = wrap((hash ^ round(0n, lane)) * P1 + P4);
  }
  hash = wrap(hash + BigInt(length));
  for (; at + 8 <= length; at += 8) {
    hash = wrap(rotateLeft(hash ^ round(0n, bytes.getBigUint64(at, true)), 27n) * P1 + P4);
  }
  for (; at + 4 <= length; at += 4) {
    hash = wrap(rotateLeft(hash ^ wrap(BigInt(bytes.getUint32(at, true)) * P1), 23n) * P2 + P3);
  }
  for (; at < length; at++) hash = wrap(rotateLeft(hash ^ wrap(BigInt(bytes.getUint8(at)) * P5), 11n) * P1);
  hash = wrap((hash ^ (hash >> 33n)) * P2);
  hash = wrap((hash ^ (hash >> 29n)) * P3);
  return hash ^ (hash >> 32n);
}

/** The checksum kernel over `memory`. */
export function checksumReference(memory: LinearMemory): ChecksumKernels {
  return {
    hashChunks(begin, end, _slot, data, sizeBytes, chunkBytes, out) {
      const { buffer } = memory.memory;
      const digests = new DataView(buffer, out);
      for (let i = begin; i < end; i++) {
        const at = i * chunkBytes;
        const chunk = new DataView(buffer, data + at, Math.min(chunkBytes, sizeBytes - at));
        digests.setBigUint64(8 * i, xxh64(chunk), true);
      }
    },
  };
}
