/**
 * A history tower with SASRec's attention on s3rec-beauty: the query is a dense layer over the weighted sum of the history and the
 * state of its last item, and all three features have one table of items. Settings and epochs were chosen on a validation
 * part (docs/decisions/history-tower.md).
 */
import { type ChosenModel, fitRecommender } from 'shortlist';
import { bootstrapMean } from 'shortlist/metrics';
import type { FeatureModelSpec, InteractionSplit } from 'shortlist/recommenders';
import { evaluated, type Run, shown } from './runs.ts';

const TABLE = { table: 'items', dimensions: 64 } as const;
const HISTORY = { type: 'sequence', field: 'history', maxLength: 50, ...TABLE } as const;
const SPEC: FeatureModelSpec = {
  queryTower: {
    features: {
      history: { ...HISTORY, recencyDecay: 0.6 },
      order: { ...HISTORY, attention: { blocks: 2, heads: 1, dropout: 0.5 } },
    },
  },
  candidateTower: { features: { item: { type: 'string', ...TABLE } } },
};
const CHOSEN: ChosenModel = {
  model: 'features',
  settings: { dimensions: 64, temperature: 0.1, learningRate: 0.002, epochs: 7 },
};

/** A fit for each seed from 1 on, evaluated on the test part, and its epochs and seconds. */
export async function attentionRuns(
  split: InteractionSplit,
  seeds: number,
): Promise<{ runs: Run[]; quality: Record<string, string | number> }> {
  const runs: Run[] = [];
  const seconds: string[] = [];
  const cpuSeconds: string[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    const { recommender } = await fitRecommender(split.train, CHOSEN, { features: { spec: SPEC }, seed });
    const { user, system } = process.cpuUsage(cpu);
    seconds.push(((performance.now() - start) / 1000).toFixed(0));
    cpuSeconds.push(((user + system) / 1e6).toFixed(0));
    runs.push(evaluated(recommender, split));
    console.error(
      `attention: seed ${seed}, ${seconds.at(-1)} s, ${cpuSeconds.at(-1)} s of CPU, ${shown(bootstrapMean(runs.at(-1)!.recall))}`,
    );
  }
  return {
    runs,
    quality: { epochs: CHOSEN.settings.epochs!, seconds: seconds.join(' '), 'seconds of CPU': cpuSeconds.join(' ') },
  };
}
