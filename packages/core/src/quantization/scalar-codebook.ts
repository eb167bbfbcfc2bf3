/** One-dimensional codebooks: 16 values for a 4-bit code, by k-means on a sorted sample. */

const WORDS = 16;
/** Values in the sample: enough for 16 means. */
const SAMPLE = 65_536;
/** Lloyd's iterations; in one dimension they converge fast. */
const ITERATIONS = 25;

/** The 16 ascending values of a codebook for `values`. */
export function trainScalars(values: Float32Array): Float32Array {
  const words = new Float32Array(WORDS);
  const size = Math.min(values.length, SAMPLE);
  if (size === 0) return words;
  const step = values.length / size;
  const sorted = Float32Array.from({ length: size }, (_, i) => values[Math.floor(i * step)]!).sort();
  for (let w = 0; w < WORDS; w++) words[w] = sorted[Math.floor(((w + 0.5) / WORDS) * size)]!;
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    let from = 0;
    for (let w = 0; w < WORDS; w++) {
      const border = w < WORDS - 1 ? (words[w]! + words[w + 1]!) / 2 : Number.POSITIVE_INFINITY;
      let to = from;
      let sum = 0;
      while (to < size && sorted[to]! <= border) sum += sorted[to++]!;
      if (to > from) words[w] = sum / (to - from);
      from = to;
    }
  }
  return words.sort();
}

/** The position of the nearest of 16 ascending values. */
export function nearestScalar(words: Float32Array, value: number): number {
  let low = 0;
  let high = WORDS - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value > (words[middle]! + words[middle + 1]!) / 2) low = middle + 1;
    else high = middle;
  }
  return low;
}
