/**
 * Checkpoints as bytes: the state of an interrupted training run, in the container format of bundles.
 *
 * A checkpoint holds parameters and optimizer state, not the model's options: make a model with the same options and
 * resume its training from the checkpoint.
 */

import { BYTES, checkArgument } from '../checks/arguments.ts';
import { objectWith } from '../checks/options.ts';
import type { LearnedPointers } from '../embeddings/learned-pointers.ts';
import { loadPart, type Part, readSaved } from '../format/part.ts';
import { bytesOf, containerSections, type Saved, type SavedSection } from '../format/saved.ts';
import type { JsonObject, SettingsReader } from '../format/settings.ts';
import { bytesSource, type Source } from '../format/source.ts';
import { type Sink, toBytes, writeContainer } from '../format/writer.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import type { BestEpoch } from '../retrieval/best-epoch.ts';
import type { Checkpoint } from '../retrieval/checkpoint.ts';
import type { SavedMemory } from '../retrieval/cross-batch-memory.ts';
import type { Evaluation } from '../retrieval/evaluate.ts';
import type { EpochRecord } from '../retrieval/history.ts';
import type { Losses } from '../retrieval/losses.ts';

/** The prefix of the names of the sections of a checkpoint's best epoch. */
const BEST = 'best-';

/**
 * Write a checkpoint to a sink.
 *
 * @throws whatever the sink throws
 */
export function writeCheckpoint(checkpoint: Checkpoint, sink: Sink, runtime: Runtime = defaultRuntime()): void {
  checkArgument('sink', sink, objectWith('a sink, which has `write`', 'write'));
  checkArgument('runtime', runtime, RUNTIME);
  writeContainer(containerSections(checkpointOf(checkpoint)), sink, runtime);
}

/** A checkpoint as bytes. */
export function checkpointToBytes(checkpoint: Checkpoint, runtime: Runtime = defaultRuntime()): Uint8Array {
  return toBytes(containerSections(checkpointOf(checkpoint)), checkArgument('runtime', runtime, RUNTIME));
}

/**
 * Read a checkpoint.
 *
 * @throws {FormatError} naming the section and the byte when it is damaged, foreign or of a newer version
 */
export async function readCheckpoint(source: Source, runtime: Runtime = defaultRuntime()): Promise<Checkpoint> {
  checkArgument('source', source, objectWith('a Source', 'sizeBytes', 'read'));
  checkArgument('runtime', runtime, RUNTIME);
  return readSaved(source, (root) => loadPart(root, { checkpoint: loadContents }), runtime);
}

/** A checkpoint from its bytes; throws as `readCheckpoint`. */
export async function checkpointFromBytes(bytes: Uint8Array, runtime: Runtime = defaultRuntime()): Promise<Checkpoint> {
  return readCheckpoint(bytesSource(checkArgument('bytes', bytes, BYTES)), runtime);
}

function checkpointOf(checkpoint: Checkpoint): Saved {
  checkArgument(
    'checkpoint',
    checkpoint,
    objectWith('a checkpoint', 'epoch', 'losses', 'optimizer', 'arrays', 'pointers'),
  );
  const { epoch, step, losses, epochs, optimizer, arrays, pointers, best, memory, source } = checkpoint;
  const settings = {
    epoch,
    step,
    losses,
    epochs,
    optimizer,
    arrays: arrays.map(({ length }) => length),
    // Absent where no table learns pointers, as in the first files of version 1.
    ...(pointers.length > 0 && { pointers: pointers.map(pointerSettings) }),
    // Absent where the run trains on a data set in memory.
    ...(source !== undefined && { source }),
    // Absent where the run keeps no vectors of earlier batches.
    ...(memory && { memory: { vectors: memory.vectors.length, keys: memory.keys.length } }),
    // Absent where the run does not end with the parameters of its best epoch.
    ...(best && {
      best: {
        epoch: best.epoch,
        parameters: best.parameters.map(({ length }) => length),
        pointers: best.pointers.map(pointerSettings),
      },
    }),
  };
  return {
    kind: 'checkpoint',
    // Numbers, texts and records of them; `unknown` because the interfaces of an epoch have no index signature.
    settings: settings as unknown as JsonObject,
    sections: [
      ...arrays.map((array, i) => ({ name: `array${i}`, bytes: bytesOf(array) })),
      ...pointers.flatMap((table, i) => pointerSections(table, '', i)),
      ...(memory ? memorySections(memory) : []),
      ...(best?.parameters ?? []).map((array, i) => ({ name: `${BEST}parameters${i}`, bytes: bytesOf(array) })),
      ...(best?.pointers ?? []).flatMap((table, i) => pointerSections(table, BEST, i)),
    ],
  };
}

function memorySections({ vectors, keys, probabilities }: SavedMemory): SavedSection[] {
  return [
    { name: 'memory-vectors', bytes: bytesOf(vectors) },
    { name: 'memory-keys', bytes: bytesOf(keys) },
    { name: 'memory-probabilities', bytes: bytesOf(probabilities) },
  ];
}

function readMemory(settings: SettingsReader, part: Part): SavedMemory {
  const [numbers, count] = [settings.integer('vectors'), settings.integer('keys')];
  settings.finish();
  return {
    vectors: new Float32Array(part.bytes('memory-vectors', 4 * numbers).slice().buffer),
    keys: new Int32Array(part.bytes('memory-keys', 4 * count).slice().buffer),
    probabilities: new Float64Array(part.bytes('memory-probabilities', 8 * count).slice().buffer),
  };
}

/** Settings of the pointers of one CQR table. */
function pointerSettings({ clusterings, sums, pointers: { length }, counts }: LearnedPointers): JsonObject {
  return {
    clusterings,
    sums,
    length,
    ...(counts && { learned: counts.learned.length, seen: counts.seen.length }),
  };
}

function pointerSections({ pointers, counts }: LearnedPointers, prefix: string, i: number): SavedSection[] {
  const sections = [{ name: `${prefix}pointers${i}`, bytes: bytesOf(pointers) }];
  if (!counts) return sections;
  return [
    ...sections,
    { name: `${prefix}learned${i}`, bytes: bytesOf(counts.learned) },
    { name: `${prefix}seen${i}`, bytes: counts.seen },
  ];
}

function loadContents(part: Part): Checkpoint {
  const { settings } = part;
  const optimizer = settings.object('optimizer');
  const lengths = settings.integers('arrays');
  const checkpoint: Checkpoint = {
    epoch: settings.integer('epoch'),
    step: settings.integer('step'),
    losses: settings.numbers('losses'),
    epochs: settings.objects('epochs').map(readRecord),
    optimizer: readOptimizer(optimizer),
    arrays: readArrays(part, 'array', lengths),
    pointers: settings.has('pointers')
      ? settings.objects('pointers').map((table, i) => readPointers(table, '', i, part))
      : [],
    ...(settings.has('source') && { source: settings.string('source') }),
    ...(settings.has('memory') && { memory: readMemory(settings.object('memory'), part) }),
    best: settings.has('best') ? readBestEpoch(settings.object('best'), part) : undefined,
  };
  optimizer.finish();
  return checkpoint;
}

function readOptimizer(settings: SettingsReader): Checkpoint['optimizer'] {
  const optimizer = { name: settings.string('name'), learningRate: settings.number('learningRate') };
  // Present where the parameters have groups with optimizers of their own.
  if (!settings.has('groups')) return optimizer;
  const groups = settings.objects('groups').map((group) => {
    const read = { name: group.string('name'), learningRate: group.number('learningRate') };
    group.finish();
    return read;
  });
  return { ...optimizer, groups };
}

function readArrays(part: Part, name: string, lengths: readonly number[]): Float32Array[] {
  return lengths.map((length, i) => new Float32Array(part.bytes(`${name}${i}`, 4 * length).buffer, 0, length));
}

function readBestEpoch(settings: SettingsReader, part: Part): BestEpoch {
  const best = {
    epoch: settings.integer('epoch', { min: 1 }),
    parameters: readArrays(part, `${BEST}parameters`, settings.integers('parameters')),
    pointers: settings.objects('pointers').map((table, i) => readPointers(table, BEST, i, part)),
  };
  settings.finish();
  return best;
}

function readPointers(settings: SettingsReader, prefix: string, i: number, part: Part): LearnedPointers {
  const [clusterings, sums] = [settings.integer('clusterings'), settings.integer('sums', { min: 1, max: 2 })];
  const length = settings.integer('length');
  const pointers = new Uint16Array(part.bytes(`${prefix}pointers${i}`, 2 * length).slice().buffer);
  if (!settings.has('learned')) {
    settings.finish();
    return { clusterings, sums, pointers };
  }
  const [words, ids] = [settings.integer('learned'), settings.integer('seen')];
  settings.finish();
  const learned = new Uint32Array(part.bytes(`${prefix}learned${i}`, 4 * words).slice().buffer);
  return { clusterings, sums, pointers, counts: { learned, seen: part.bytes(`${prefix}seen${i}`, ids).slice() } };
}

function readRecord(settings: SettingsReader): EpochRecord {
  const record: EpochRecord = {
    epoch: settings.integer('epoch'),
    ...readLosses(settings),
    seconds: settings.number('seconds'),
  };
  if (settings.has('batchMetrics')) record.batchMetrics = readNumbers(settings.object('batchMetrics'));
  if (settings.has('validation')) record.validation = readEvaluation(settings.object('validation'));
  settings.finish();
  return record;
}

function readEvaluation(settings: SettingsReader): Evaluation {
  const evaluation: Evaluation = {
    ...readLosses(settings),
    rows: settings.integer('rows'),
    metrics: readNumbers(settings.object('metrics')),
    seconds: settings.number('seconds'),
  };
  settings.finish();
  return evaluation;
}

function readNumbers(settings: SettingsReader): Record<string, number> {
  return Object.fromEntries(settings.keys().map((name) => [name, settings.number(name)]));
}

function readLosses(settings: SettingsReader): Losses {
  return {
    perExample: settings.number('perExample'),
    lastBatch: settings.number('lastBatch'),
    kerasBar: settings.number('kerasBar'),
  };
}
