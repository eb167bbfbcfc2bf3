/**
 * Prints the peak memory of a process that indexes 1,683,682 × 32, as a multiple of the bytes of the vectors. It runs as a
 * separate process. The vectors are a data set of batches, as in a program that embeds its catalogue.
 */
import { BruteForce } from 'shortlist';

const ROWS = 1_683_682;
const DIMENSIONS = 32;
const BATCH = 4096;

function* batches(): Generator<{ data: Float32Array; dimensions: number }> {
  for (let row = 0; row < ROWS; row += BATCH) {
    const data = new Float32Array(Math.min(BATCH, ROWS - row) * DIMENSIONS);
    for (let i = 0; i < data.length; i++) data[i] = ((row * 7 + i * 13) % 1000) / 1000 - 0.5;
    yield { data, dimensions: DIMENSIONS };
  }
}

const before = process.memoryUsage.rss();
const index = await new BruteForce<number[], number>().indexFromDataset(batches);
if (index.size !== ROWS) throw new Error(`expected ${ROWS} rows, got ${index.size}`);
const peak = process.resourceUsage().maxRSS * 1024;
console.log((peak - before) / (4 * ROWS * DIMENSIONS));
