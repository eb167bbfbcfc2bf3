/**
 * Checkpoints as saved bytes: where an interrupted run stood, in the container that bundles use.
 *
 * A checkpoint holds numbers, not the model: it is resumed by a model made with the same options.
 */
import type { LearnedPointers } from '../embeddings/learned-pointers.ts';
import { loadPart, type Part, readSaved } from '../format/part.ts';
import { bytesOf, containerSections, type Saved } from '../format/saved.ts';
import type { JsonObject, SettingsReader } from '../format/settings.ts';
import { bytesSource, type Source } from '../format/source.ts';
import { type Sink, toBytes, writeContainer } from '../format/writer.ts';
import { defaultRuntime, type Runtime } from '../parallel/runtime.ts';
import type { Checkpoint } from '../retrieval/checkpoint.ts';
import type { Evaluation } from '../retrieval/evaluate.ts';
import type { EpochRecord } from '../retrieval/history.ts';
import type { Losses } from '../retrieval/losses.ts';

/**
 * Write a checkpoint to a sink.
 *
 * @throws whatever the sink throws
 */
export function writeCheckpoint(checkpoint: Checkpoint, sink: Sink, runtime: Runtime = defaultRuntime()): void {
  writeContainer(containerSections(checkpointOf(checkpoint)), sink, runtime);
}

/** A checkpoint as bytes. */
export function checkpointToBytes(checkpoint: Checkpoint, runtime: Runtime = defaultRuntime()): Uint8Array {
  return toBytes(containerSections(checkpointOf(checkpoint)), runtime);
}

/**
 * Read a checkpoint.
 *
 * @throws {FormatError} naming the section and the byte when it is damaged, foreign or of a newer version
 */
export function readCheckpoint(source: Source, runtime: Runtime = defaultRuntime()): Promise<Checkpoint> {
  return readSaved(source, (root) => loadPart(root, { checkpoint: loadContents }), runtime);
}

/** A checkpoint from its bytes; throws as `readCheckpoint`. */
export function checkpointFromBytes(bytes: Uint8Array, runtime: Runtime = defaultRuntime()): Promise<Checkpoint> {
  return readCheckpoint(bytesSource(bytes), runtime);
}

function checkpointOf({ epoch, step, losses, epochs, optimizer, arrays, pointers }: Checkpoint): Saved {
  const settings = {
    epoch,
    step,
    losses,
    epochs,
    optimizer,
    arrays: arrays.map(({ length }) => length),
    // Absent where no table learns pointers: files of version 1 before there were any have none either.
    ...(pointers.length > 0 && {
      pointers: pointers.map(({ clusterings, sums, pointers: { length }, counts }) => ({
        clusterings,
        sums,
        length,
        ...(counts && { learned: counts.learned.length, seen: counts.seen.length }),
      })),
    }),
  };
  return {
    kind: 'checkpoint',
    // Numbers, texts and records of them; `unknown` because the interfaces of an epoch have no index signature.
    settings: settings as unknown as JsonObject,
    sections: [
      ...arrays.map((array, i) => ({ name: `array${i}`, bytes: bytesOf(array) })),
      ...pointers.flatMap(({ pointers: array, counts }, i) => [
        { name: `pointers${i}`, bytes: bytesOf(array) },
        ...(counts
          ? [
              { name: `learned${i}`, bytes: bytesOf(counts.learned) },
              { name: `seen${i}`, bytes: counts.seen },
            ]
          : []),
      ]),
    ],
  };
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
    optimizer: { name: optimizer.string('name'), learningRate: optimizer.number('learningRate') },
    arrays: lengths.map((length, i) => new Float32Array(part.bytes(`array${i}`, 4 * length).buffer, 0, length)),
    pointers: settings.has('pointers')
      ? settings.objects('pointers').map((table, i) => readPointers(table, i, part))
      : [],
  };
  optimizer.finish();
  return checkpoint;
}

function readPointers(settings: SettingsReader, i: number, part: Part): LearnedPointers {
  const [clusterings, sums] = [settings.integer('clusterings'), settings.integer('sums', { min: 1, max: 2 })];
  const length = settings.integer('length');
  const pointers = new Uint16Array(part.bytes(`pointers${i}`, 2 * length).slice().buffer);
  if (!settings.has('learned')) {
    settings.finish();
    return { clusterings, sums, pointers };
  }
  const [words, ids] = [settings.integer('learned'), settings.integer('seen')];
  settings.finish();
  const learned = new Uint32Array(part.bytes(`learned${i}`, 4 * words).slice().buffer);
  return { clusterings, sums, pointers, counts: { learned, seen: part.bytes(`seen${i}`, ids).slice() } };
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
