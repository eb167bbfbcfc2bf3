/** A program without the code of the measurements of a build: prints the error, and the notes of an index of 512 dimensions. */
import { ScaNN } from 'shortlist';

const said: string[] = [];
try {
  new ScaNN({ targetRecall: 0.9 });
} catch (error) {
  said.push((error as Error).message);
}
const vectors = Array.from({ length: 100 }, (_, i) => Float32Array.from({ length: 512 }, (_, t) => Math.cos(i * t)));
const index = new ScaNN({ tree: 'always', numLeaves: 4, numLeavesToSearch: 4, minLeafSize: 2 });
console.log(JSON.stringify([...said, ...index.index(vectors).stats().notes]));
