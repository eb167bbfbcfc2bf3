// Embeddings composed of codebook rows: hashing ids to rows, gathering, and summing gradients by row.
//   vector(i)[j·w .. (j+1)·w) = Σ_s table[pointer(i, j, s)],   j < columns, s < sums
// Letters: w width of a codebook row, terms = columns · sums pointers an id, term = j · sums + s.
// Readable forms: src/kernels/reference/pointers.ts.

/** The Mersenne prime 2³¹ − 1 of the hash family; ids and coefficients are below it. */
const PRIME: u64 = 0x7fffffff;

/**
 * pointer(i, term) = base[term] + ((a·id_i + b) mod p) mod rows[term]
 * coefficients: [terms, 4] uint32: a in [1, p), b in [0, p), base, rows. out: [count, terms] int32.
 * Source: Carter and Wegman 1979, proposition 7; b keeps id 0 from standing at row 0 of every column.
 * Work items: ids.
 */
export function hashPointers(
  begin: i32, end: i32, slot: i32, ids: usize, coefficients: usize, terms: i32, out: usize,
): void {
  for (let i = begin; i < end; i++) {
    const id = <u64>load<u32>(ids + (<usize>i << 2));
    let to = out + ((<usize>i * <usize>terms) << 2);
    for (let t = 0; t < terms; t++) {
      const c = coefficients + (<usize>t << 4);
      const product = <u64>load<u32>(c) * id + <u64>load<u32>(c, 4);
      // Twice: the product has 62 bits, and a fold leaves at most 32.
      let folded = (product & PRIME) + (product >> 31);
      folded = (folded & PRIME) + (folded >> 31);
      if (folded >= PRIME) folded -= PRIME;
      store<u32>(to, load<u32>(c, 8) + <u32>folded % load<u32>(c, 12));
      to += 4;
    }
  }
}

/** out[i][j·w + t] = Σ_s table[pointers[i][j][s]][t]; out has outStride floats a row. Work items: ids. */
export function gatherPointers(
  begin: i32, end: i32, slot: i32, table: usize, w: i32, pointers: usize, columns: i32, sums: i32,
  out: usize, outStride: i32,
): void {
  const bytes = <usize>w << 2;
  const vectors = bytes & ~15;
  for (let i = begin; i < end; i++) {
    let pointer = pointers + ((<usize>i * <usize>(columns * sums)) << 2);
    let to = out + ((<usize>i * <usize>outStride) << 2);
    for (let j = 0; j < columns; j++) {
      for (let s = 0; s < sums; s++) {
        const from = table + <usize>load<u32>(pointer) * bytes;
        pointer += 4;
        let t: usize = 0;
        if (s == 0) {
          for (; t < vectors; t += 16) v128.store(to + t, v128.load(from + t));
          for (; t < bytes; t += 4) store<f32>(to + t, load<f32>(from + t));
        } else {
          for (; t < vectors; t += 16) v128.store(to + t, f32x4.add(v128.load(to + t), v128.load(from + t)));
          for (; t < bytes; t += 4) store<f32>(to + t, load<f32>(to + t) + load<f32>(from + t));
        }
      }
      to += bytes;
    }
  }
}

/**
 * Gradients of distinct codebook rows: out[g] = Σ over uses u in [starts[g], starts[g+1]) of the slice of the gradient
 * that the use fed; uses[u] = i · terms + term. gradients has stride floats a row; out [groups, w]. Work items: groups.
 */
export function sumUses(
  begin: i32, end: i32, slot: i32, starts: usize, uses: usize, gradients: usize, stride: i32, w: i32,
  terms: i32, sums: i32, out: usize,
): void {
  const bytes = <usize>w << 2;
  const vectors = bytes & ~15;
  for (let g = begin; g < end; g++) {
    const to = out + <usize>g * bytes;
    const first = load<i32>(starts + (<usize>g << 2));
    const last = load<i32>(starts + (<usize>g << 2), 4);
    memory.fill(to, 0, bytes);
    for (let u = first; u < last; u++) {
      const use = load<u32>(uses + (<usize>u << 2));
      const i = use / <u32>terms;
      const j = (use - i * <u32>terms) / <u32>sums;
      const from = gradients + ((<usize>i * <usize>stride + <usize>(j * <u32>w)) << 2);
      let t: usize = 0;
      for (; t < vectors; t += 16) v128.store(to + t, f32x4.add(v128.load(to + t), v128.load(from + t)));
      for (; t < bytes; t += 4) store<f32>(to + t, load<f32>(to + t) + load<f32>(from + t));
    }
  }
}

/**
 * Counting sort of pointers by row: uses [count] in order of (row, position), distinct rows, and where each begins.
 * counters: [rowCount + 1] int32, zero; zero again afterwards. distinct: [≤ count], starts: [≤ count + 1].
 * Returns the number of distinct rows.
 */
export function groupUses(
  pointers: usize, count: i32, counters: usize, rowCount: i32, uses: usize, distinct: usize, starts: usize,
): i32 {
  for (let u = 0; u < count; u++) {
    const at = counters + (<usize>load<u32>(pointers + (<usize>u << 2)) << 2);
    store<i32>(at, load<i32>(at) + 1);
  }
  let groups = 0;
  let first = 0;
  for (let row = 0; row < rowCount; row++) {
    const at = counters + (<usize>row << 2);
    const uses = load<i32>(at);
    if (uses == 0) continue;
    store<i32>(distinct + (<usize>groups << 2), row);
    store<i32>(starts + (<usize>groups << 2), first);
    store<i32>(at, first);
    first += uses;
    groups++;
  }
  store<i32>(starts + (<usize>groups << 2), first);
  for (let u = 0; u < count; u++) {
    const at = counters + (<usize>load<u32>(pointers + (<usize>u << 2)) << 2);
    const position = load<i32>(at);
    store<i32>(uses + (<usize>position << 2), u);
    store<i32>(at, position + 1);
  }
  for (let g = 0; g < groups; g++) store<i32>(counters + (<usize>load<i32>(distinct + (<usize>g << 2)) << 2), 0);
  return groups;
}

/**
 * Learned pointers put over hashed ones: out[i][j][0] = base[j] + learned[id_i][j], learned [V, columns] uint16.
 * Work items: ids.
 */
export function readPointers(
  begin: i32, end: i32, slot: i32, ids: usize, learned: usize, columns: i32, sums: i32, blockRows: i32, out: usize,
): void {
  for (let i = begin; i < end; i++) {
    const from = learned + ((<usize>load<u32>(ids + (<usize>i << 2)) * <usize>columns) << 1);
    const to = out + ((<usize>i * <usize>(columns * sums)) << 2);
    for (let j = 0; j < columns; j++) {
      store<u32>(to + (<usize>(j * sums) << 2), <u32>(j * blockRows) + <u32>load<u16>(from + (<usize>j << 1)));
    }
  }
}

/**
 * As readPointers, where only some ids have learned pointers: bit id of bits is set for them, ranks[id / 32] learned ids
 * stand before that word, learned is [their number, columns] uint16. What the others point to stays. Work items: ids.
 */
export function readLearnedPointers(
  begin: i32, end: i32, slot: i32, ids: usize, bits: usize, ranks: usize, learned: usize,
  columns: i32, sums: i32, blockRows: i32, out: usize,
): void {
  for (let i = begin; i < end; i++) {
    const id = load<u32>(ids + (<usize>i << 2));
    const at = <usize>(id >> 5) << 2;
    const word = load<u32>(bits + at);
    const bit: u32 = 1 << (id & 31);
    if ((word & bit) == 0) continue;
    const rank = load<u32>(ranks + at) + popcnt<u32>(word & (bit - 1));
    const from = learned + ((<usize>rank * <usize>columns) << 1);
    const to = out + ((<usize>i * <usize>(columns * sums)) << 2);
    for (let j = 0; j < columns; j++) {
      store<u32>(to + (<usize>(j * sums) << 2), <u32>(j * blockRows) + <u32>load<u16>(from + (<usize>j << 1)));
    }
  }
}
