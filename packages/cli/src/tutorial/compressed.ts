/**
 * The first half of the tutorial with compressed tables. Full and compressed tables are trained and evaluated in the same way,
 * to compare their sizes and their quality.
 */
import { Tower, TwoTowerModel } from 'shortlist';
import { type EmbeddingTable, quantizeProduct, quantizeResidual } from 'shortlist/embeddings';
import type { Report } from '../terminal/reporter.ts';
import type { Environment } from '../terminal/terminal.ts';
import type { CompressedEvent, TutorialEvent } from './events.ts';
import { evaluateExactly } from './serving.ts';
import type { Compression } from './settings.ts';
import type { Trained, TrainingData } from './training.ts';
import { train } from './training.ts';

/** The metric that is compared. */
const METRIC = 'factorized_top_k/top_100_categorical_accuracy';
/** Columns, of four dimensions each, of the methods that have columns; the best number for the clicks of MovieLens-100K. */
const COLUMNS = 8;

/** Train full tables, then compressed ones; returns the compressed model and the comparison. */
export async function trainCompressed(
  data: TrainingData,
  { method, recipe, share }: Compression,
  environment: Environment,
  report: Report<TutorialEvent>,
): Promise<{ trained: Trained; compared: CompressedEvent }> {
  const full = await train(data, environment, report);
  const fullTop100 = (await evaluateExactly(full, data.split, environment)).metrics[METRIC]!;
  const trained =
    recipe.kind === 'train'
      ? await train({ ...data, embedding: { method, share, recipe, columns: COLUMNS } }, environment, report)
      : await quantized(full, recipe.how, share, environment);
  const top100 = (await evaluateExactly(trained, data.split, environment)).metrics[METRIC]!;
  const [fullBytes, bytes] = [full, trained].map(sizeBytes) as [number, number];
  const compared: CompressedEvent = { event: 'compressed', method, share, fullBytes, bytes, fullTop100, top100 };
  return { trained, compared };
}

async function quantized(
  { model }: Trained,
  how: 'product' | 'residual',
  share: number,
  { signal }: Environment,
): Promise<Trained> {
  const smaller = async ({ inputs: [input], runtime }: Tower): Promise<Tower> => {
    const { table, name, lookup } = input!;
    const options = { parameters: Math.floor(table.parameters * share), signal };
    const small: EmbeddingTable =
      how === 'product'
        ? await quantizeProduct(table, { ...options, columns: COLUMNS })
        : await quantizeResidual(table, options);
    return new Tower([{ name, lookup, table: small }], [], false, runtime);
  };
  const [queryTower, candidateTower] = [await smaller(model.queryTower), await smaller(model.candidateTower)];
  return { model: new TwoTowerModel({ queryTower, candidateTower }) };
}

function sizeBytes({ model: { queryTower, candidateTower } }: Trained): number {
  return [queryTower, candidateTower].reduce((sum, tower) => sum + tower.inputs[0]!.table.sizeBytes(), 0);
}
