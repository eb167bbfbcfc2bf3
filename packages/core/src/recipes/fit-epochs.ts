/** Trains a two-tower model epoch by epoch within a budget of time, for recipes that choose the number of epochs. */
import { meanOf } from '../metrics/bootstrap.ts';
import type { Recommender } from '../recommenders/contract.ts';
import { FitAbortedError } from '../retrieval/checkpoint.ts';
import type { RetrievalDataset } from '../retrieval/dataset.ts';
import type { TwoTowerModel } from '../retrieval/model.ts';
import type { Features } from '../towers/tower-inputs.ts';
import type { RecipeContext } from './recipe.ts';
import type { Settings, TrialEvaluation } from './trial.ts';
import type { Validation } from './validation.ts';

/** The epochs of a fit. */
export interface EpochOptions {
  readonly epochs: number;
  readonly batchSize: number;
  /** Called after every epoch, from 1; the fit ends where it returns true. */
  readonly shouldStop?: (epoch: number) => boolean;
}

/**
 * Train until all epochs are done, the time is over, or `shouldStop` returns true after an epoch; returns the number of
 * complete epochs.
 *
 * @throws {FitAbortedError} when the signal of the context is raised
 */
export async function fitEpochs<Q extends Features, C extends Features>(
  model: TwoTowerModel<Q, C>,
  dataset: RetrievalDataset<Q, C>,
  { epochs, batchSize, shouldStop = () => false }: EpochOptions,
  { seed, signal, isOver, log }: RecipeContext,
): Promise<{ epochs: number; isCut: boolean }> {
  const enough = new AbortController();
  const done = { epochs: 0, isCut: false };
  try {
    await model.fit(dataset, {
      epochs,
      batchSize,
      shuffle: true,
      seed,
      signal: signal ? AbortSignal.any([signal, enough.signal]) : enough.signal,
      onProgress: () => {
        if (!isOver()) return;
        done.isCut = true;
        enough.abort();
      },
      ...(log && { onStepEnd: log.onStepEnd }),
      onEpochEnd: (record) => {
        const { epoch } = record;
        log?.onEpochEnd(record);
        done.epochs = epoch;
        if (shouldStop(epoch)) enough.abort();
      },
    });
  } catch (error) {
    if (!(error instanceof FitAbortedError) || !enough.signal.aborted || signal?.aborted) throw error;
  }
  return { ...done, isCut: done.isCut && done.epochs < epochs };
}

/** The most epochs of a model of next items, and those in a row without a better recall after which a trial ends. */
export const NEXT_ITEM_EPOCHS = { epochs: 20, patience: 3 } as const;

/** A trial of a model of next items: its settings with the number of epochs that is best on the validation part. */
export async function evaluateNextItems<Q extends Features, C extends Features>(
  { model, examples, batchSize, recommender }: NextItemModel<Q, C>,
  settings: Settings,
  validation: Validation,
  context: RecipeContext,
): Promise<TrialEvaluation> {
  const evaluate = (): Float64Array => validation.evaluate(recommender());
  const options = { ...NEXT_ITEM_EPOCHS, batchSize, evaluate };
  const { epochs, perUser, isCut } = await findEpochs(model, examples, options, context);
  return { settings: { ...settings, epochs }, perUser, isCut };
}

/** A model of next items in a trial. */
export interface NextItemModel<Q extends Features, C extends Features> {
  readonly model: TwoTowerModel<Q, C>;
  readonly examples: RetrievalDataset<Q, C>;
  readonly batchSize: number;
  /** The model at this moment as a recommender. */
  readonly recommender: () => Recommender;
}

/** The epoch with the best recall. */
export interface BestEpochs {
  readonly epochs: number;
  /** [users] recall@k after that epoch. */
  readonly perUser: Float64Array;
  readonly isCut: boolean;
}

/** Train and evaluate after every epoch, until `patience` epochs in a row were not better. */
export async function findEpochs<Q extends Features, C extends Features>(
  model: TwoTowerModel<Q, C>,
  dataset: RetrievalDataset<Q, C>,
  {
    patience,
    evaluate,
    ...options
  }: Omit<EpochOptions, 'shouldStop'> & {
    readonly patience: number;
    readonly evaluate: () => Float64Array;
  },
  context: RecipeContext,
): Promise<BestEpochs> {
  let best: { recall: number; epochs: number; perUser: Float64Array } = {
    recall: -1,
    epochs: 0,
    perUser: new Float64Array(0),
  };
  const evaluateEpoch = (epochs: number): void => {
    const perUser = evaluate();
    const recall = meanOf(perUser);
    if (recall > best.recall) best = { recall, epochs, perUser };
  };
  const shouldStop = (epoch: number): boolean => {
    evaluateEpoch(epoch);
    return epoch - best.epochs >= patience;
  };
  const { isCut } = await fitEpochs(model, dataset, { ...options, shouldStop }, context);
  // The time was over before the first epoch was complete.
  if (best.epochs === 0) evaluateEpoch(1);
  return { epochs: best.epochs, perUser: best.perUser, isCut };
}
