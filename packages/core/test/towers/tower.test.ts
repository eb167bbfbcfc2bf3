/** Towers: gradients by finite difference through embeddings, dense layers and normalization; distinct rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LayerSpec } from '../../src/layers/make-layers.ts';
import { Sgd } from '../../src/optimizers/sgd.ts';
import { Generator } from '../../src/random/generator.ts';
import type { EncodedFeatures } from '../../src/towers/encoded-features.ts';
import { Tower } from '../../src/towers/tower.ts';
import type { Features } from '../../src/towers/tower-inputs.ts';
import { Matrix } from '../../src/vectors/matrix.ts';

const words = ['a', 'b', 'c', 'd'];

/** Σ weights · vectors of the distinct rows. */
function value<Q extends Features>(tower: Tower<Q>, features: EncodedFeatures, weights: number[][]): number {
  const vectors = tower.forward(features);
  return weights.reduce((sum, row, i) => sum + row.reduce((s, w, t) => s + w * vectors.row(i)[t]!, 0), 0);
}

/** Each parameter's SGD step at learning rate 1 is its gradient; compared with the central difference. */
function checkGradient<Q extends Features>(make: () => Tower<Q>, features: readonly Q[]): void {
  const generator = new Generator(9);
  const tower = make();
  for (const { data } of tower.parameters()) data.forEach((_, i) => (data[i] = 0.7 * generator.normal()));
  const start = tower.parameters().map(({ data }) => data.slice());
  const distinct = tower.encode(features).distinct().features;
  const { rows } = distinct;
  const weights = Array.from({ length: rows }, () =>
    Array.from({ length: tower.dimensions }, () => generator.normal()),
  );
  const stride = tower.forward(distinct).dimensions;
  const gradients = new Matrix(rows, stride, tower.runtime);
  weights.forEach((row, i) => {
    gradients.row(i).set(row);
  });
  tower.backward(gradients, new Sgd({ learningRate: 1 }));
  const steps = tower.parameters().map(({ data }, p) => start[p]!.map((before, i) => before - data[i]!));
  const step = 2 ** -7;
  tower.parameters().forEach(({ data }, p) => {
    const put = (): void => tower.parameters().forEach((matrix, q) => matrix.data.set(start[q]!));
    for (let i = 0; i < data.length; i++) {
      put();
      data[i] = start[p]![i]! + step;
      const above = value(tower, distinct, weights);
      data[i] = start[p]![i]! - step;
      const below = value(tower, distinct, weights);
      const expected = (above - below) / (2 * step);
      const got = steps[p]![i]!;
      assert.ok(
        Math.abs(got - expected) < 4e-3 * (1 + Math.abs(expected)),
        `parameter ${p}[${i}]: ${got}, not ${expected}`,
      );
    }
  });
}

test('gradients of a plain embedding', () => {
  checkGradient(() => Tower.create({ vocabulary: words, dimensions: 5 }), ['a', 'c', 'a', 'unknown']);
});

test('gradients of several features, dense layers and normalization', () => {
  const features = { user: { vocabulary: words, dimensions: 3 }, age: { vocabulary: ['1', '2'], dimensions: 2 } };
  const rows = [
    { user: 'a', age: '1' },
    { user: 'a', age: '2' },
    { user: 'b', age: '2' },
    { user: 'a', age: '1' },
  ];
  checkGradient(() => Tower.create({ features }), rows);
  checkGradient(() => Tower.create({ features, normalize: true }), rows);
  checkGradient(() => Tower.create({ features, dense: [6, 3], normalize: true, seed: 3 }), rows);
  const layers: LayerSpec[] = [
    { kind: 'layerNorm', epsilon: 1 },
    { kind: 'dense', units: 6, activation: 'gelu' },
    { kind: 'concat', branches: [[], [{ kind: 'dense', units: 3, activation: 'tanh' }]] },
    { kind: 'dense', units: 3, activation: 'tanh' },
  ];
  checkGradient(() => Tower.create({ features, layers, normalize: true, seed: 3 }), rows);
});

test('embed equals forward, and unknown words share the row of unknown words', () => {
  const tower = Tower.create({ vocabulary: words, dimensions: 6 });
  const embedded = tower.embed(['b', 'nobody', 'b', 'else']);
  assert.deepEqual([...embedded.row(0)], [...embedded.row(2)]);
  assert.deepEqual([...embedded.row(1)], [...embedded.row(3)]);
  const copy = [...embedded.row(0)];
  assert.deepEqual(
    [
      ...tower
        .forward(tower.encode(['b']))
        .row(0)
        .subarray(0, 6),
    ],
    copy,
  );
  assert.throws(
    () => Tower.create({ features: { x: { vocabulary: words } } }).embed([{} as { x: string }]),
    /features.x: expected a string, got undefined/,
  );
  assert.throws(() => Tower.create({ features: {} }), /at least one/);
});

test('a tower of one named feature takes the word itself, as a server hands it on', () => {
  const vocabulary = ['a', 'b'];
  const tower = Tower.create({ features: { user: { vocabulary, dimensions: 4 } } });
  const named = tower.encode([{ user: 'b' }, { user: 'x' }]);
  assert.deepEqual(tower.encode(['b', 'x'] as never), named);
  assert.throws(
    () => tower.encode([{ name: 'b' } as never]),
    /features.user: expected a string, got undefined at posi/,
  );
  assert.throws(() => tower.encode([5 as never]), /features.user: expected a string, got 5 at position 0/);
  const two = Tower.create({ features: { toString: { vocabulary }, user: { vocabulary } } });
  assert.throws(() => two.encode([{ user: 'a' } as never]), /features.toString: expected a string, got undefined/);
  assert.throws(() => two.encode(['a' as never]), /features.toString: expected a string, got "a"/);
});
