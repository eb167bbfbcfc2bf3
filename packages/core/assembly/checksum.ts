// Checksums of saved bytes: XXH64 (Yann Collet, xxHash specification 0.1.1, seed 0), chunk by chunk. Four independent
// lanes, each with one multiplication, run near the speed of the memory; CRC-32C would need a special instruction for
// that. Readable form: src/kernels/reference/checksum.ts.

const P1: u64 = 0x9E3779B185EBCA87;
const P2: u64 = 0xC2B2AE3D27D4EB4F;
const P3: u64 = 0x165667B19E3779F9;
const P4: u64 = 0x85EBCA77C2B2AE63;
const P5: u64 = 0x27D4EB2F165667C5;

// @ts-ignore: decorator
@inline function round(lane: u64, input: u64): u64 {
  return rotl<u64>(lane + input * P2, 31) * P1;
}

// @ts-ignore: decorator
@inline function merge(hash: u64, lane: u64): u64 {
  return (hash ^ round(0, lane)) * P1 + P4;
}

function xxh64(at: usize, length: usize): u64 {
  const end = at + length;
  let hash = P5;
  if (length >= 32) {
    let a = P1 + P2, b = P2, c: u64 = 0, d: u64 = 0 - P1;
    const last = end - 32;
    for (; at <= last; at += 32) {
      a = round(a, load<u64>(at));
      b = round(b, load<u64>(at, 8));
      c = round(c, load<u64>(at, 16));
      d = round(d, load<u64>(at, 24));
    }
    hash = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18);
    hash = merge(merge(merge(merge(hash, a), b), c), d);
  }
  hash += <u64>length;
  for (; at + 8 <= end; at += 8) hash = rotl<u64>(hash ^ round(0, load<u64>(at)), 27) * P1 + P4;
  if (at + 4 <= end) {
    hash = rotl<u64>(hash ^ (<u64>load<u32>(at) * P1), 23) * P2 + P3;
    at += 4;
  }
  for (; at < end; at++) hash = rotl<u64>(hash ^ (<u64>load<u8>(at) * P5), 11) * P1;
  hash = (hash ^ (hash >> 33)) * P2;
  hash = (hash ^ (hash >> 29)) * P3;
  return hash ^ (hash >> 32);
}

/**
 * out[i] = XXH64 of bytes [i · chunkBytes, min((i + 1) · chunkBytes, sizeBytes)) of data, as u64.
 * Work items: chunks [begin, end).
 */
export function hashChunks(
  begin: i32, end: i32, slot: i32, data: usize, sizeBytes: usize, chunkBytes: usize, out: usize,
): void {
  for (let i = begin; i < end; i++) {
    const at = <usize>i * chunkBytes;
    store<u64>(out + (<usize>i << 3), xxh64(data + at, min(chunkBytes, sizeBytes - at)));
  }
}
