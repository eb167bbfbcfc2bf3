/** Bigints beyond 64 bits as they are saved: the text of their decimal digits, each read when it is asked for. */
import type { PackedTexts } from '../columns/packed-texts.ts';
import type { IdentifierValues } from './identifier-values.ts';

/** Bigints as decimal digits. */
export class DecimalTexts implements IdentifierValues<bigint> {
  readonly texts: PackedTexts;

  constructor(texts: PackedTexts) {
    this.texts = texts;
  }

  get length(): number {
    return this.texts.length;
  }

  at(row: number): bigint {
    return BigInt(this.texts.at(row));
  }
}
