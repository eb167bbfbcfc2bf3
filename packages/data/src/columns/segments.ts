/**
 * Arrays of numbers that grow in segments, so that growing copies nothing. A column of small whole numbers takes one or four
 * bytes for each row instead of eight.
 */

/** Rows of a segment: few enough to waste little in a short column, and enough for few segments in a long one. */
const SEGMENT_BITS = 16;
const SEGMENT_LENGTH = 1 << SEGMENT_BITS;
const MASK = SEGMENT_LENGTH - 1;

/** The interface of both kinds of columns. */
export interface NumberColumn {
  readonly length: number;
  at(row: number): number;
}

/** A column of codes of a dictionary. */
export class CodeColumn implements NumberColumn {
  readonly #segments: Int32Array[] = [];
  #last: Int32Array = new Int32Array(0);
  length = 0;

  push(code: number): void {
    const at = this.length & MASK;
    if (at === 0) {
      this.#last = new Int32Array(SEGMENT_LENGTH);
      this.#segments.push(this.#last);
    }
    this.#last[at] = code;
    this.length++;
  }

  at(row: number): number {
    return this.#segments[row >> SEGMENT_BITS]![row & MASK]!;
  }
}

/** The most distinct numbers that are stored with one byte for each row. */
const BYTE_CODES = 256;
const UINT32_MAX = 2 ** 32 - 1;

type Stored = Uint8Array | Uint32Array | Float64Array;

/** A column of numbers in the narrowest exact form: codes of up to 256 distinct numbers, 32-bit integers, or float64. */
export class CompactNumbers implements NumberColumn {
  #segments: Stored[] = [];
  #last: Stored = new Uint8Array(0);
  #width: 1 | 4 | 8 = 1;
  #codes = new Map<number, number>();
  #values = new Float64Array(BYTE_CODES);
  length = 0;
  min: number = Number.POSITIVE_INFINITY;
  max: number = Number.NEGATIVE_INFINITY;
  #isWhole = true;

  push(value: number): void {
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    if (!(value >= 0 && value <= UINT32_MAX && Number.isInteger(value))) this.#isWhole = false;
    let stored = value;
    if (this.#width === 1) {
      const code = this.#codes.get(value) ?? this.#newCode(value);
      if (code >= 0) stored = code;
    }
    if (this.#width === 4 && !this.#isWhole) this.#widen(8);
    const at = this.length & MASK;
    if (at === 0) {
      this.#last = emptySegment(this.#width);
      this.#segments.push(this.#last);
    }
    this.#last[at] = stored;
    this.length++;
  }

  at(row: number): number {
    const stored = this.#segments[row >> SEGMENT_BITS]![row & MASK]!;
    return this.#width === 1 ? this.#values[stored]! : stored;
  }

  /** The distinct numbers in ascending order if there are at most 256; otherwise undefined. */
  get distinct(): number[] | undefined {
    return this.#width === 1 ? [...this.#codes.keys()].sort((a, b) => a - b) : undefined;
  }

  #newCode(value: number): number {
    const code = this.#codes.size;
    if (code === BYTE_CODES) {
      this.#widen(this.#isWhole ? 4 : 8);
      return -1;
    }
    this.#codes.set(value, code);
    this.#values[code] = value;
    return code;
  }

  #widen(width: 4 | 8): void {
    const isCodes = this.#width === 1;
    // One segment at a time, so that the column is never in memory twice.
    for (let i = 0; i < this.#segments.length; i++) {
      const wide = emptySegment(width);
      const narrow = this.#segments[i]!;
      for (let j = 0; j < SEGMENT_LENGTH; j++) wide[j] = isCodes ? this.#values[narrow[j]!]! : narrow[j]!;
      this.#segments[i] = wide;
    }
    this.#last = this.#segments[this.#segments.length - 1] ?? this.#last;
    this.#width = width;
  }
}

function emptySegment(width: 1 | 4 | 8): Stored {
  if (width === 1) return new Uint8Array(SEGMENT_LENGTH);
  return width === 4 ? new Uint32Array(SEGMENT_LENGTH) : new Float64Array(SEGMENT_LENGTH);
}
