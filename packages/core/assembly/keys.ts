// Scores and rows as 64-bit keys whose unsigned order is the order of results: score descending, ties by row ascending.
// The readable form sorts by score and row: src/kernels/reference/topk.ts.

/** Key of a score and a row: larger is better. Adding 0 makes −0 equal to 0. */
// @ts-ignore: decorator
@inline export function keyOf(score: f32, row: i32): u64 {
  const bits = reinterpret<i32>(score + 0);
  const ordered = <u32>(bits ^ ((bits >> 31) | i32.MIN_VALUE));
  return (<u64>ordered << 32) | <u64>(~<u32>row);
}

/**
 * Make a score finite: an infinity becomes the largest number of its sign, and NaN, from a sum that overflows in both
 * directions, becomes the least number. Such a candidate is last but still among the results.
 */
// @ts-ignore: decorator
@inline export function finiteScore(score: f32): f32 {
  // The comparison is false for NaN.
  return score >= -f32.MAX_VALUE ? min<f32>(f32.MAX_VALUE, score) : -f32.MAX_VALUE;
}

// @ts-ignore: decorator
@inline export function scoreOf(key: u64): f32 {
  const ordered = <i32>(key >> 32);
  return reinterpret<f32>(ordered ^ (~(ordered >> 31) | i32.MIN_VALUE));
}

// @ts-ignore: decorator
@inline export function rowOf(key: u64): i32 {
  return <i32>~<u32>key;
}

/** The median of three keys. */
// @ts-ignore: decorator
@inline function median(a: u64, b: u64, c: u64): u64 {
  const low = min(a, b), high = max(a, b);
  return max(low, min(high, c));
}

/** Reorder keys[low … high] so that the largest `target + 1 − low` come first and the least of them is at `target`. */
export function selectKeys(keys: usize, low: i32, high: i32, target: i32): void {
  while (low < high) {
    const pivot = median(
      load<u64>(keys + (<usize>low << 3)),
      load<u64>(keys + (<usize>((low + high) >> 1) << 3)),
      load<u64>(keys + (<usize>high << 3)),
    );
    let i = low, j = high;
    while (i <= j) {
      let left = keys + (<usize>i << 3);
      while (load<u64>(left) > pivot) { i++; left += 8; }
      let right = keys + (<usize>j << 3);
      while (load<u64>(right) < pivot) { j--; right -= 8; }
      if (i <= j) {
        const key = load<u64>(left);
        store<u64>(left, load<u64>(right));
        store<u64>(right, key);
        i++; j--;
      }
    }
    if (target <= j) high = j;
    else if (target >= i) low = i;
    else return;
  }
}

/**
 * Sort keys[low … high] descending: split into halves by selection, and sort short runs by insertion. The recursion
 * depth is at most log₂ of the length.
 */
export function sortKeys(keys: usize, low: i32, high: i32): void {
  while (high - low > 16) {
    const middle = (low + high) >> 1;
    selectKeys(keys, low, high, middle);
    sortKeys(keys, low, middle - 1);
    low = middle + 1;
  }
  const first = keys + (<usize>low << 3);
  for (let i = low + 1; i <= high; i++) {
    let to = keys + (<usize>i << 3);
    const key = load<u64>(to);
    while (to > first && load<u64>(to - 8) < key) {
      store<u64>(to, load<u64>(to - 8));
      to -= 8;
    }
    store<u64>(to, key);
  }
}
