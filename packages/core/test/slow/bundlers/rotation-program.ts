/** A program that builds an index with a rotation. */
import { balancedPca, ScaNN } from 'shortlist';

const vectors = Array.from({ length: 100 }, (_, i) => [Math.cos(i), Math.sin(i), 1]);
const index = new ScaNN({ tree: 'always', numLeaves: 4, numLeavesToSearch: 4, rotation: balancedPca.name });
console.log(
  JSON.stringify([
    index
      .index(vectors)
      .call([[1, 0, 0]], 1)
      .rowsOf()[0],
  ]),
);
