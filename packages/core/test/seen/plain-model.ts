/** Seen items as a map of lists: the plain model with which `SeenItems` is compared. */

/** Items of each user by the text of the user; the one seen last is at the end. */
export class PlainSeen<I> {
  readonly #items = new Map<string, I[]>();

  add(user: string, items: readonly I[]): void {
    if (items.length === 0) return;
    const seen = this.#items.get(user) ?? [];
    for (const item of items) {
      const at = seen.indexOf(item);
      if (at >= 0) seen.splice(at, 1);
      seen.push(item);
    }
    this.#items.set(user, seen);
  }

  itemsOf(user: string): readonly I[] {
    return this.#items.get(user) ?? [];
  }

  get users(): string[] {
    return [...this.#items.keys()];
  }

  get pairCount(): number {
    return [...this.#items.values()].reduce((sum, { length }) => sum + length, 0);
  }
}
