/** Scores that float32 cannot hold: every protocol answers the largest number of their sign, and never a value that JSON has not. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { bothIndexes, post, startTiny } from '../fixtures/tiny-bundle.ts';

const MAX = (2 - 2 ** -23) * 2 ** 127;
const LARGE = [3e38, 3e38, 3e38, 3e38];
const NEGATED = LARGE.map((value) => -value);
// 9e76 + 9e76 − 9e76 − 9e76 is a sum without a sign in float32.
const UNSIGNED = [3e38, 3e38, -3e38, -3e38];

const server = await startTiny('', { models: await bothIndexes() });
after(() => server.close());

for (const model of ['exact', 'leaves']) {
  test(`${model}: plain JSON, TF Serving and the Open Inference Protocol`, async () => {
    const candidates = [
      { id: 'large', embedding: LARGE },
      { id: 'negated', embedding: NEGATED },
      { id: 'unsigned', embedding: UNSIGNED },
    ];
    assert.equal((await post(server, '/v1/candidates/upsert', { model, candidates })).status, 200);
    const k = 100;
    const plain = await post(server, '/v1/shortlist', { model, embedding: LARGE, k });
    assert.equal(plain.status, 200, JSON.stringify(plain.body));
    const { results } = plain.body as { results: { id: string; score: number }[] };
    assert.equal(results.length, 63);
    assert.ok(results.every(({ score }) => Number.isFinite(score)));
    const scoreOf = (id: string): number => results.find((result) => result.id === id)!.score;
    // Shown as the shortest decimal that is this float32 again.
    assert.deepEqual(['large', 'negated', 'unsigned'].map(scoreOf).map(Math.fround), [MAX, -MAX, -MAX]);

    const predicted = await post(server, `/v1/models/${model}:predict`, {
      signature_name: 'search',
      instances: [LARGE],
    });
    assert.equal(predicted.status, 200, JSON.stringify(predicted.body));
    const [{ scores }] = (predicted.body as { predictions: [{ scores: number[] }] }).predictions;
    assert.equal(Math.fround(scores[0]!), MAX);
    assert.ok(scores.every(Number.isFinite));

    const inferred = await post(server, `/v2/models/${model}/infer`, {
      parameters: { k },
      inputs: [{ name: 'embedding', shape: [1, 4], datatype: 'FP32', data: LARGE }],
      outputs: [{ name: 'scores' }],
    });
    assert.equal(inferred.status, 200, JSON.stringify(inferred.body));
    const [{ data }] = (inferred.body as { outputs: [{ data: number[] }] }).outputs;
    assert.deepEqual([data.length, Math.fround(data[0]!), Math.fround(data.at(-1)!)], [63, MAX, -MAX]);
  });
}
