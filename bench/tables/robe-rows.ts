/**
 * CQR against ROBE, which shares parameters without pointers, at a thousandth of the parameters: in the bytes of CQR with its
 * pointers, and with the parameters of CQR alone. Clicks of 6,000 users and 6,000 items of 8 planted groups each, 40 rows for an
 * id, one label of twenty wrong; the best of six epochs on held-out rows counts for each method.
 */
import { defaultRuntime, type EmbeddingOptions } from 'shortlist';
import { type EmbeddingTable, makeTable, pointByCoOccurrence } from 'shortlist/embeddings';
import { Generator } from 'shortlist/random';
import { Adagrad, type ClickFitOptions, type Clicks, MatrixFactorization } from 'shortlist/training';
import { type Row, row } from '../harness/rows.ts';

const [IDS, DIMENSIONS, GROUPS, COLUMNS] = [6000, 32, 8, 8];
const SEEDS = [1, 2, 3];
const PARAMETERS = Math.floor((IDS * DIMENSIONS) / 1000);
/** Of ROBE, beside its floats: the hash functions. */
const HASH_BYTES = 64;

interface Planted {
  train: Clicks;
  validation: Clicks;
}

function planted(seed: number): Planted {
  const generator = new Generator(seed).fork('planted');
  const tastes = Uint8Array.from({ length: GROUPS * GROUPS }, () => generator.below(2));
  const [ofUser, ofItem] = [0, 1].map(() => Int32Array.from({ length: IDS }, () => generator.below(GROUPS)));
  const draw = (length: number): Clicks => {
    const queries = Int32Array.from({ length }, () => generator.below(IDS));
    const candidates = Int32Array.from({ length }, () => generator.below(IDS));
    const labels = Uint8Array.from(queries, (user, i) =>
      generator.uniform() < 0.1 ? generator.below(2) : tastes[ofUser![user]! * GROUPS + ofItem![candidates[i]!]!]!,
    );
    return { queries, candidates, labels };
  };
  return { train: draw(40 * IDS), validation: draw(20_000) };
}

interface Trained {
  crossEntropy: number;
  /** Of both tables, with pointers. */
  bytes: number;
}

async function train(
  { train: rows, validation }: Planted,
  seed: number,
  embedding: EmbeddingOptions,
  { clusterings, isPointed = false }: Pick<ClickFitOptions, 'clusterings'> & { isPointed?: boolean } = {},
): Promise<Trained> {
  const [queryTable, candidateTable] = [1, 2].map((side) =>
    makeTable(embedding, {
      vocabularySize: IDS,
      dimensions: DIMENSIONS,
      seed: 10 * seed + side,
      runtime: defaultRuntime(),
    }),
  ) as [EmbeddingTable, EmbeddingTable];
  if (isPointed) await pointByCoOccurrence(queryTable, candidateTable, rows, {});
  // The full table learns nothing from so few rows with smaller steps.
  const optimizer = new Adagrad({ learningRate: 0.2 });
  const model = new MatrixFactorization({ queryTable, candidateTable, optimizer });
  const how = { epochs: 6, validation, seed, ...(clusterings && { clusterings }) };
  const history = await model.fit(rows, how);
  return {
    crossEntropy: Math.min(...history.map((epoch) => epoch.validation!.crossEntropy)),
    bytes: queryTable.sizeBytes() + candidateTable.sizeBytes(),
  };
}

interface Run {
  full: Trained;
  pointed: Trained;
  hashed: Trained;
  sameBytes: Trained;
  sameParameters: Trained;
}

/** Mean cross-entropies of three seeds. */
export async function againstRobe(): Promise<Row[]> {
  const runs: Run[] = [];
  for (const seed of SEEDS) {
    const data = planted(seed);
    const cqr: EmbeddingOptions = { method: 'cqr', parameters: PARAMETERS, columns: COLUMNS };
    const clusterings = { every: 1 };
    const pointed = await train(data, seed, cqr, { clusterings, isPointed: true });
    const floats = Math.floor((pointed.bytes / 2 - HASH_BYTES) / 4);
    runs.push({
      pointed,
      hashed: await train(data, seed, cqr, { clusterings }),
      sameBytes: await train(data, seed, { method: 'robe', parameters: floats, columns: COLUMNS }),
      sameParameters: await train(data, seed, { method: 'robe', parameters: PARAMETERS, columns: COLUMNS }),
      full: await train(data, seed, { method: 'full' }),
    });
  }
  const mean = (name: keyof Run): number => runs.reduce((sum, run) => sum + run[name].crossEntropy, 0) / runs.length;
  const [first] = runs;
  return [
    row({
      work: 'planted clicks, 3 seeds: CQR pointed by co-occurrence at 1/1000 of the parameters, below ROBE in its bytes',
      ours: mean('sameBytes') - mean('pointed'),
      peer: null,
      unit: 'nats',
      required: { atLeast: 0 },
      quality: {
        full: mean('full').toFixed(4),
        'CQR, co-occurrence': mean('pointed').toFixed(4),
        'CQR, first pointers hashed': mean('hashed').toFixed(4),
        'ROBE, the same bytes': mean('sameBytes').toFixed(4),
        'ROBE, the same parameters': mean('sameParameters').toFixed(4),
        'bytes of CQR': first!.pointed.bytes,
        'bytes of ROBE': first!.sameBytes.bytes,
        'bytes of ROBE with the same parameters': first!.sameParameters.bytes,
      },
    }),
  ];
}
