/** A program that only indexes and queries: a bundler leaves the rest of the library out. */
import { BruteForce, ScaNN } from 'shortlist';

const vectors = Array.from({ length: 100 }, (_, i) => [Math.cos(i), Math.sin(i)]);
const exact = new BruteForce().index(vectors);
const approximate = new ScaNN({ numLeaves: 4, numLeavesToSearch: 4 });
approximate.index(vectors);
console.log(JSON.stringify([exact, approximate].map((index) => index.call([[1, 0]], 3).rowsOf()[0])));
