/** All that programs can import, whatever its entry point. */
export * from '../../src/entries/datasets.ts';
export * from '../../src/entries/embeddings.ts';
export * from '../../src/entries/features.ts';
export * from '../../src/entries/format.ts';
export * from '../../src/entries/kernels.ts';
export * from '../../src/entries/layers.ts';
export * from '../../src/entries/least-squares.ts';
export * from '../../src/entries/metrics.ts';
export * from '../../src/entries/quantization.ts';
export * from '../../src/entries/random.ts';
export * from '../../src/entries/recommenders.ts';
export * from '../../src/entries/rules.ts';
export * from '../../src/entries/topk.ts';
export * from '../../src/entries/training.ts';
export * from '../../src/entries/tuning.ts';
export * from '../../src/index.ts';
