/**
 * The tokens of a text: words in lower case without punctuation, n-grams of words, and n-grams of the characters of each word.
 *
 * A word is a run of letters, marks and digits; an apostrophe inside is left out ("it's" is "its", as in Keras). The
 * words of an n-gram are joined by a space, and shorter n-grams come before longer ones, as in Keras's
 * TextVectorization. n-grams of characters are taken from `<word>`, as in fastText, and begin with #, so that none is
 * equal to a word.
 */

/** The tokens of texts. */
export interface TokenOptions {
  /** The most words of an n-gram of words. */
  ngrams: number;
  /** The shortest and the longest n-gram of characters. */
  characterNgrams: readonly [shortest: number, longest: number] | undefined;
}

/** The tokens of a text, in their order. */
export function tokensOf(text: string, { ngrams, characterNgrams }: TokenOptions): string[] {
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .replace(/['’]/gu, '')
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  const tokens: string[] = [...words];
  for (let n = 2; n <= Math.min(ngrams, words.length); n++) {
    for (let i = 0; i + n <= words.length; i++) tokens.push(words.slice(i, i + n).join(' '));
  }
  if (characterNgrams === undefined) return tokens;
  const [shortest, longest] = characterNgrams;
  for (const word of words) {
    // By code points, so that no character is cut in two.
    const characters = [...`<${word}>`];
    for (let n = shortest; n <= Math.min(longest, characters.length); n++) {
      for (let i = 0; i + n <= characters.length; i++) tokens.push(`#${characters.slice(i, i + n).join('')}`);
    }
  }
  return tokens;
}
