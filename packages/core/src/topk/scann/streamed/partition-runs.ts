/**
 * The second pass of a build that streams: assigns every candidate to its leaf and writes it to the run of the segment that
 * has the leaf.
 *
 * A record is the number of the row, the number of its leaf (int32 each) and the row as it is scored (float32). Where candidates
 * have second leaves (SOAR), the number of the second leaf follows that of the first, and each segment that has one of the two
 * gets a record, with −1 for a leaf of another segment and for a second leaf that is the first. After
 * every `runBytes` of records, these are appended to the runs, and then the manifest is replaced by one with the new
 * sizes of the runs. A build that continues after a kill cuts the runs to the sizes of the manifest and skips the rows
 * that the runs already have.
 */
import { throwIfAborted } from '../../../checks/abort.ts';
import type { Progress } from '../../../clustering/k-means.ts';
import { StateError } from '../../../errors/errors.ts';
import { Checksum } from '../../../format/checksum.ts';
import type { Matrix } from '../../../vectors/matrix.ts';
import { openDataset, type RowSink } from '../../candidate-builder.ts';
import type { CandidateDataset, Identifier } from '../../contract.ts';
import { splitBatch, type VectorSource } from '../../vector-source.ts';
import type { LeafShape, Leaves } from '../leaves.ts';
import { type AssignedPiece, type Assigners, assignPiece } from './assign-piece.ts';
import type { RunStore } from './run-store.ts';
import { segmentOf } from './segment-shapes.ts';
import { bytesOf, forEachPiece, type Survey } from './survey.ts';

const MANIFEST = 'manifest';
/** The version of the layout of runs and manifest: runs of another one are not used. */
export const RUNS_LAYOUT = 3;

/** The state of the runs, as JSON. */
interface Manifest {
  /** The settings, candidates and segments of the build. Runs of another build are not used. */
  build: string;
  /** The number of rows in all runs. */
  rows: number;
  /** Bytes of the run of each segment. */
  sizes: number[];
  /** Σ of the squared distances of these rows from their centroids. */
  distance: number;
  /** The number of rows in each leaf. */
  leafRows: number[];
  /** True when the whole data set was read again and was the same. */
  isChecked: boolean;
}

/** The result of the second pass. */
export interface PartitionedRuns {
  /** The mean squared distance of the rows from their centroids. */
  meanDistance: number;
  /** The number of rows in each leaf. */
  leafRows: readonly number[];
  /** The number of records in the run of each segment. */
  records: readonly number[];
}

/** The input of the second pass. */
export interface PartitionInput extends Assigners {
  survey: Pick<Survey<Identifier>, 'rows' | 'dimensions' | 'checksum'>;
  head: Leaves;
  firstLeaves: readonly number[];
  isUnitLength: boolean;
  /** A text that identifies settings, candidates and segments. */
  build: string;
  runs: RunStore;
  /** Bytes of records that are kept before they are written. */
  runBytes: number;
  signal: AbortSignal | undefined;
  onProgress: (progress: Progress) => void;
}

/** Numbers of a record before its row: those of the row and of the leaf, and that of the second leaf if candidates have one. */
export function recordHeadOf({ copies }: Pick<LeafShape, 'copies'>): number {
  return 1 + copies;
}

/** Bytes of a record in an index of this shape. */
export function recordBytesOf(shape: Pick<LeafShape, 'dimensions' | 'copies'>): number {
  return 4 * (recordHeadOf(shape) + shape.dimensions);
}

/** The name of the run of a segment. */
export function runName(segment: number): string {
  return `segment-${segment}`;
}

/**
 * Read the data set again and write the runs; runs that are complete are taken as they are.
 *
 * @throws {StateError} when the candidates are not those of the first pass
 */
export async function partitionRuns<I extends Identifier>(
  dataset: CandidateDataset<I>,
  input: PartitionInput,
): Promise<PartitionedRuns> {
  const { survey, runs, signal, onProgress } = input;
  const manifest = await readManifest(input);
  if (manifest.isChecked) return resultOf(manifest, input);
  const sink = new RunSink(input, manifest);
  try {
    await sink.cut();
    for await (const batch of await openDataset(dataset)) {
      throwIfAborted('indexStreamed', signal);
      sink.append(splitBatch(batch).source);
      if (sink.isFull) await sink.write();
      onProgress({ step: 'partition', done: Math.min(sink.rows, survey.rows), total: survey.rows });
    }
    await sink.write();
    sink.check();
    await sink.finish();
    return resultOf(manifest, input);
  } catch (error) {
    if (error instanceof StateError) await runs.clear();
    throw error;
  } finally {
    sink.free();
  }
}

/** The error of a second pass that reads other candidates than the first; `rows` of them so far. */
export function otherCandidates(expected: number, rows: number): StateError {
  return new StateError(
    `dataset: expected the ${expected} candidates of the first pass again, got ` +
      (rows === expected ? 'other numbers' : `${rows < expected ? 'only ' : 'at least '}${rows}`),
  );
}

function resultOf({ distance, rows, leafRows, sizes }: Manifest, { head }: PartitionInput): PartitionedRuns {
  const records = sizes.map((size) => size / recordBytesOf(head.shape));
  return { meanDistance: distance / rows, leafRows, records };
}

async function readManifest({ runs, build, firstLeaves, head }: PartitionInput): Promise<Manifest> {
  const sizes = firstLeaves.slice(1).map(() => 0);
  const leafRows = new Array<number>(head.shape.leaves).fill(0);
  const none: Manifest = { build, rows: 0, sizes, distance: 0, leafRows, isChecked: false };
  const size = await runs.sizeOf(MANIFEST);
  if (size === 0) return none;
  const bytes = new Uint8Array(size);
  await runs.read(MANIFEST, 0, bytes);
  try {
    const found = JSON.parse(new TextDecoder().decode(bytes)) as Manifest;
    return found.build === build ? found : none;
  } catch {
    return none;
  }
}

/** Takes the rows of the second pass, and keeps their records until they are written. */
class RunSink implements RowSink {
  rows = 0;
  readonly #input: PartitionInput;
  readonly #manifest: Manifest;
  readonly #checksum: Checksum;
  readonly #records: Uint8Array[][];
  #keptBytes = 0;

  constructor(input: PartitionInput, manifest: Manifest) {
    this.#input = input;
    this.#manifest = manifest;
    this.#checksum = new Checksum(input.head.runtime);
    this.#records = manifest.sizes.map(() => []);
  }

  get isFull(): boolean {
    return this.#keptBytes >= this.#input.runBytes;
  }

  /** Cut the runs to the sizes of the manifest. */
  async cut(): Promise<void> {
    for (const [s, size] of this.#manifest.sizes.entries()) await this.#input.runs.truncate(runName(s), size);
  }

  append(source: VectorSource): void {
    const { rows, dimensions } = this.#input.survey;
    if (source.rows === 0) return;
    if (source.dimensions !== dimensions || this.rows + source.rows > rows) this.#refuse(this.rows + source.rows);
    forEachPiece(source, this.#input.head.runtime, (piece) => this.#add(piece));
  }

  /** Append the kept records to the runs, and replace the manifest. */
  async write(): Promise<void> {
    const { runs } = this.#input;
    if (this.#keptBytes === 0) return;
    for (const [s, pieces] of this.#records.entries()) {
      for (const piece of pieces) {
        await runs.append(runName(s), piece);
        this.#manifest.sizes[s]! += piece.length;
      }
      this.#records[s] = [];
    }
    this.#keptBytes = 0;
    this.#manifest.rows = this.rows;
    await this.#replaceManifest();
  }

  /** Mark the runs as complete. */
  async finish(): Promise<void> {
    this.#manifest.isChecked = true;
    await this.#replaceManifest();
  }

  /** @throws {StateError} when the rows were not those of the first pass */
  check(): void {
    if (this.rows !== this.#input.survey.rows || this.#checksum.digest() !== this.#input.survey.checksum) {
      this.#refuse(this.rows);
    }
  }

  free(): void {
    this.#checksum.free();
  }

  #replaceManifest(): Promise<void> {
    return this.#input.runs.replace(MANIFEST, new TextEncoder().encode(JSON.stringify(this.#manifest)));
  }

  #refuse(rows: number): never {
    throw otherCandidates(this.#input.survey.rows, rows);
  }

  #add(piece: Matrix): void {
    this.#checksum.update(bytesOf(piece));
    const first = this.rows;
    this.rows += piece.rows;
    const written = Math.min(piece.rows, Math.max(0, this.#manifest.rows - first));
    if (written === piece.rows) return;
    const { head, isUnitLength } = this.#input;
    assignPiece(piece, head, this.#input, isUnitLength, (assigned) => this.#keep(assigned, first, written));
  }

  /** Keep the records of a piece from row `written` on, in one array for each segment. */
  #keep({ rows, leaves, seconds, distances }: AssignedPiece, first: number, written: number): void {
    const { firstLeaves, head } = this.#input;
    const { data, dimensions: d } = rows;
    const lists = firstLeaves.slice(1).map((): Entry[] => []);
    leaves.forEach((leaf, i) => {
      if (i < written) return;
      this.#manifest.distance += distances[i]!;
      const segment = segmentOf(firstLeaves, leaf);
      this.#manifest.leafRows[leaf]!++;
      if (!seconds || seconds[i] === leaf) {
        lists[segment]!.push({ i, leaf, second: -1 });
        return;
      }
      const second = seconds[i]!;
      const other = segmentOf(firstLeaves, second);
      this.#manifest.leafRows[second]!++;
      lists[segment]!.push({ i, leaf, second: other === segment ? second : -1 });
      if (other !== segment) lists[other]!.push({ i, leaf: -1, second });
    });
    const width = recordBytesOf(head.shape) / 4;
    for (const [s, list] of lists.entries()) {
      if (list.length === 0) continue;
      const floats = new Float32Array(list.length * width);
      const integers = new Int32Array(floats.buffer);
      list.forEach(({ i, leaf, second }, at) => {
        integers[at * width] = first + i;
        integers[at * width + 1] = leaf;
        if (seconds) integers[at * width + 2] = second;
        floats.set(data.subarray(i * d, (i + 1) * d), (at + 1) * width - d);
      });
      this.#records[s]!.push(new Uint8Array(floats.buffer));
      this.#keptBytes += floats.byteLength;
    }
  }
}

/** A row of a piece with its leaves in one segment. */
interface Entry {
  i: number;
  leaf: number;
  second: number;
}
