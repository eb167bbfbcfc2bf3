/** Hashes of identifiers for tables in memory: 32 bits, unsigned. No file depends on them. */

/** A finalizer like MurmurHash3's: it spreads the few bits in which neighbouring numbers differ over all bits. */
export function mixed(high: number, low: number): number {
  let hash = Math.imul(high, 0x85ebca6b) ^ low;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The first state of FNV-1a over 32 bits. */
export const FNV_BASIS = 0x811c9dc5;

/** The state after one more byte or UTF-16 code unit. */
export function fnvNext(state: number, unit: number): number {
  return Math.imul(state ^ unit, 0x01000193);
}

/** A hash of a text: FNV-1a over its UTF-16 code units, mixed. */
export function hashUnits(text: string): number {
  let state = FNV_BASIS;
  for (let i = 0; i < text.length; i++) state = fnvNext(state, text.charCodeAt(i));
  return mixed(0, state);
}
