/** Invented film titles for synthetic data, written as MovieLens writes them: `Amber Ferry, The (1994)`. */
import type { Generator } from '../random/generator.ts';

const FIRST: readonly string[] = [
  ...['Amber', 'Borrowed', 'Candlelit', 'Distant', 'Eleventh', 'Foggy', 'Gilded', 'Hollow', 'Idle', 'Juniper'],
  ...['Kindly', 'Lantern', 'Marble', 'Nameless', 'Orchid', 'Paper', 'Quiet', 'Rusted', 'Salted', 'Tangled'],
  ...['Umber', 'Velvet', 'Wandering', 'Yonder', 'Zigzag', 'Barefoot', 'Copper', 'Drowsy', 'Echoing', 'Feathered'],
  ...[
    'Granite',
    'Humming',
    'Ivory',
    'Jagged',
    'Knotted',
    'Lopsided',
    'Moonless',
    'Northern',
    'Outlandish',
    'Patchwork',
  ],
  ...['Restless', 'Sunken'],
];
const SECOND: readonly string[] = [
  ...['Almanac', 'Bakery', 'Cartographer', 'Daughter', 'Estuary', 'Ferry', 'Gardener', 'Harbor', 'Inheritance'],
  ...['Jester', 'Kettle', 'Lighthouse', 'Mechanic', 'Notary', 'Orchestra', 'Postcard', 'Quarry', 'Railway', 'Sonata'],
  ...['Telegram', 'Umbrella', 'Violinist', 'Watchmaker', 'Xylophone', 'Yearbook', 'Zeppelin', 'Beekeeper', 'Carousel'],
  ...['Detour', 'Equation', 'Fortune', 'Glacier', 'Homecoming', 'Island', 'Journal', 'Kingdom', 'Letter', 'Masquerade'],
  ...['Nightfall', 'Overture'],
];

/** The number of distinct titles that can be drawn. */
export const TITLES_MAX: number = FIRST.length * SECOND.length;

/** `count` ≤ TITLES_MAX distinct titles without their year, in random order. */
export function drawTitles(count: number, generator: Generator): string[] {
  return Array.from(generator.permutation(TITLES_MAX).subarray(0, count), (number) => {
    const title = `${FIRST[Math.floor(number / SECOND.length)]} ${SECOND[number % SECOND.length]}`;
    return number % 3 === 0 ? `${title}, The` : title;
  });
}
