/** Balanced PCA where most eigenvalues are almost 0: the residuals of written digits in their leaves. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { trainKMeans } from '../../src/clustering/train.ts';
import { trainBalancedPca } from '../../src/quantization/pca.ts';
import { Matrix } from '../../src/vectors/matrix.ts';

const PIXELS = 784;
const path = join(process.env.SHORTLIST_DATA ?? '', 'mnist-t10k/t10k-images-idx3-ubyte.gz');
const skip = existsSync(path) ? false : 'SHORTLIST_DATA has no mnist-t10k';

test('the covariance of residuals of 2,000 digits is decomposed', { skip }, () => {
  const bytes = gunzipSync(readFileSync(path)).subarray(16, 16 + 2000 * PIXELS);
  const rows = new Matrix(2000, PIXELS);
  rows.data.set(bytes);
  const { centroids, assignment } = trainKMeans(rows, { clusters: 20 });
  const [data, centres] = [rows.data, centroids.data];
  for (let i = 0; i < data.length; i++)
    data[i]! -= centres[assignment[Math.floor(i / PIXELS)]! * PIXELS + (i % PIXELS)]!;
  const { variances } = trainBalancedPca(rows);
  assert.ok(variances.every((variance) => variance >= 0) && Math.max(...variances) > 1e4);
});
