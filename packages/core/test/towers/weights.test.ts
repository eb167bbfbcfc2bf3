/** Weights of towers as named arrays: Keras's layouts, the same vectors after an exchange, pretrained embeddings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { Tower } from '../../src/towers/tower.ts';
import { exportWeights, importEmbeddings, importWeights, type Tensor } from '../../src/towers/weights.ts';

const vocabulary = ['a', 'b', 'c'];
const words = { vocabulary, dimensions: 3 };

function tower(seed: number): Tower<Readonly<Record<'user' | 'city', string>>> {
  return Tower.create({
    features: { user: words, city: { vocabulary, dimensions: 2 } },
    layers: [
      { kind: 'dense', units: 6, activation: 'relu' },
      { kind: 'layerNorm' },
      { kind: 'add', branches: [[], [{ kind: 'dense', units: 6 }]] },
    ],
    seed,
  });
}

test('names and shapes are those of Keras; a tower with the weights of another gives its vectors', () => {
  const [one, two] = [tower(1), tower(2)];
  const tensors = exportWeights(one);
  assert.deepEqual(
    tensors.map(({ name, shape }) => `${name} ${shape.join('×')}`),
    [
      'user.embeddings 4×3',
      'city.embeddings 4×2',
      'layers.0.kernel 5×6',
      'layers.0.bias 6',
      'layers.1.gamma 6',
      'layers.1.beta 6',
      'layers.2.branches.1.0.kernel 6×6',
      'layers.2.branches.1.0.bias 6',
    ],
  );
  const rows = [
    { user: 'a', city: 'c' },
    { user: 'x', city: 'b' },
  ];
  importWeights(two, tensors);
  assert.deepEqual(two.embed(rows).data, one.embed(rows).data);
  // By hand: the first layer of Keras's layout, y = relu(x · kernel + bias).
  const single = Tower.create({ features: { user: words }, dense: [2], seed: 3 });
  const kernel = Float32Array.of(1, 2, 3, 4, 5, 6);
  importWeights(single, [
    { name: 'user.embeddings', shape: [4, 3], data: Float32Array.from({ length: 12 }, (_, i) => i) },
    { name: 'layers.0.kernel', shape: [3, 2], data: kernel },
    { name: 'layers.0.bias', shape: [2], data: Float32Array.of(10, -10) },
  ]);
  // The row of 'a' is 1, after that of words out of vocabulary: 3, 4, 5.
  assert.deepEqual([...single.embed([{ user: 'a' }]).row(0)], [3 + 12 + 25 + 10, 6 + 16 + 30 - 10]);
});

test('weights that do not fit are named, and nothing is changed', () => {
  const one = tower(1);
  const before = exportWeights(one);
  const good = { ...before[0]!, data: new Float32Array(12) };
  const refused = (tensor: Partial<Tensor>, message: RegExp): void => {
    assert.throws(() => importWeights(one, [good, { ...before[3]!, ...tensor }]), message);
    assert.deepEqual(exportWeights(one), before);
  };
  refused({ name: 'layers.0.bais' }, /nearest is layers\.0\.bias, got "layers\.0\.bais"/);
  refused({ shape: [1, 6] }, /layers\.0\.bias: expected \[6\], got \[1, 6\]/);
  refused({ data: new Float32Array(5) }, /expected 6 numbers, got 5/);
  refused({ data: Float32Array.of(0, 0, Number.NaN, 0, 0, 0) }, /expected finite numbers, got NaN at 2/);
  const hashed = Tower.create({ ...words, dimensions: 4, embedding: { method: 'hashing-trick', parameters: 8 } });
  const [rows] = exportWeights(hashed);
  assert.deepEqual(rows!.shape, [4, 4]);
  assert.deepEqual([...rows!.data.subarray(4, 8)], [...hashed.embed(['a']).row(0)]);
  assert.throws(() => importWeights(hashed, [rows!]), /embeddings: expected a full table, got a hashing-trick table/);
});

test('pretrained embeddings are set by word, and stay where their feature is frozen', async () => {
  const queryTower = Tower.create({ ...words, seed: 1 });
  const candidateTower = Tower.create({ ...words, seed: 2 });
  const unknown = [...queryTower.embed(['not there']).row(0)];
  const vectors = [
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
  ];
  const result = importEmbeddings(queryTower, undefined, { words: ['b', 'zzz', 'a'], vectors });
  assert.deepEqual(result, { imported: 2, notInVocabulary: 1, withoutVector: 1 });
  const model = new TwoTowerModel({ queryTower, candidateTower, optimizer: { features: { queryTower: 'frozen' } } });
  await model.fit({ queries: ['a', 'b', 'c'], candidates: ['a', 'b', 'c'] }, { epochs: 3 });
  assert.deepEqual([...queryTower.embed(['b']).row(0)], [1, 2, 3]);
  assert.deepEqual([...queryTower.embed(['a']).row(0)], [7, 8, 9]);
  assert.deepEqual([...queryTower.embed(['not there']).row(0)], unknown);
  const named = tower(1);
  const wide = { words: ['a'], vectors: [[1, 2]] };
  assert.throws(() => importEmbeddings(named, 'usr', wide), /nearest is user, got "usr"/);
  assert.throws(() => importEmbeddings(named, 'user', wide), /vectors: expected \[1, 3\], got \[1, 2\]/);
  const bad = { words: ['a'], vectors: [[1, 2, Number.POSITIVE_INFINITY]] };
  assert.throws(() => importEmbeddings(named, 'user', bad), /expected finite numbers|finite/);
});
