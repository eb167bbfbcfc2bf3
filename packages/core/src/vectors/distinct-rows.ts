/**
 * Rows of a matrix that are equal bit for bit, found once: work that depends on a row alone is done once per group.
 */

/** Fibonacci hashing's multiplier, 2³² / golden ratio, and murmur3's second one: spread the bits of a row. */
const SPREAD = 0x9e3779b1;
const MIX = 0x85ebca6b;

/** The groups of equal rows. */
export interface DistinctRows {
  /** The first row of each group, ascending. */
  first: Int32Array;
  /** The group of each row. */
  groupOf: Int32Array;
}

/** Group equal rows of data [rows, dimensions]. Expected time is that of reading the rows once. */
export function distinctRows(data: Float32Array, dimensions: number): DistinctRows {
  const rows = dimensions === 0 ? 0 : data.length / dimensions;
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
  const mask = 2 ** Math.ceil(Math.log2(2 * rows + 2)) - 1;
  const table = new Int32Array(mask + 1).fill(-1);
  const first = new Int32Array(rows);
  const groupOf = new Int32Array(rows);
  let groups = 0;
  for (let row = 0; row < rows; row++) {
    // Two hashes, which do not wait for each other, take half the time of one.
    let [even, odd] = [0, 0];
    const end = (row + 1) * dimensions;
    for (let t = row * dimensions; t < end; t += 2) {
      even = mixed(even, bits[t]!);
      if (t + 1 < end) odd = mixed(odd, bits[t + 1]!);
    }
    let at = (Math.imul(mixed(even, odd), MIX) >>> 7) & mask;
    while (table[at]! >= 0 && !equalRows(bits, first[table[at]!]!, row, dimensions)) at = (at + 1) & mask;
    if (table[at]! < 0) {
      first[groups] = row;
      table[at] = groups++;
    }
    groupOf[row] = table[at]!;
  }
  return { first: first.slice(0, groups), groupOf };
}

function mixed(hash: number, bits: number): number {
  const product = Math.imul(hash ^ bits, SPREAD);
  return product ^ (product >>> 15);
}

function equalRows(bits: Int32Array, a: number, b: number, dimensions: number): boolean {
  for (let t = 0; t < dimensions; t++) if (bits[a * dimensions + t] !== bits[b * dimensions + t]) return false;
  return true;
}
