/** Selection of the best items from an array of scores. */

/** Selects the items with the k largest scores. Of equal scores the lower code comes first. */
export class BestItems {
  readonly #isLeftOut: Uint8Array;
  readonly #scores: Float64Array;
  readonly #items: Int32Array;

  constructor(itemCount: number, k: number) {
    this.#isLeftOut = new Uint8Array(itemCount);
    const found = Math.min(k, itemCount);
    this.#scores = new Float64Array(found);
    this.#items = new Int32Array(found);
  }

  /**
   * The items with the largest scores, best first.
   *
   * @param scores [items]
   * @param leftOut excluded codes
   * @param among the codes to choose from, ascending; default all
   */
  select(scores: ArrayLike<number>, leftOut: Int32Array, among?: Int32Array): Int32Array {
    const isLeftOut = this.#isLeftOut;
    for (const item of leftOut) isLeftOut[item] = 1;
    const [best, items] = [this.#scores, this.#items];
    const k = best.length;
    const count = among ? among.length : isLeftOut.length;
    let found = 0;
    for (let i = 0; i < count; i++) {
      const item = among ? among[i]! : i;
      const score = scores[item]!;
      if (isLeftOut[item] || (found === k && !(score > best[k - 1]!))) continue;
      let at = found < k ? found++ : k - 1;
      for (; at > 0 && best[at - 1]! < score; at--) {
        best[at] = best[at - 1]!;
        items[at] = items[at - 1]!;
      }
      best[at] = score;
      items[at] = item;
    }
    for (const item of leftOut) isLeftOut[item] = 0;
    return items.slice(0, found);
  }
}
