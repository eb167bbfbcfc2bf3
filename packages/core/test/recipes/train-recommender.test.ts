/** The search for a recommender: planted tastes, budgets by a clock that is handed in, and interruptions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Interactions } from '../../src/data/interactions.ts';
import { leaveLastOut } from '../../src/data/split.ts';
import { DivergedError } from '../../src/errors/errors.ts';
import { evaluateRecommender } from '../../src/metrics/evaluate-recommender.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { alsCandidates } from '../../src/recipes/als-settings.ts';
import { fitRecommender } from '../../src/recipes/fit-recommender.ts';
import { trainRecommender } from '../../src/recipes/train-recommender.ts';
import type { ChosenModel, Settings, Trial } from '../../src/recipes/trial.ts';
import { baselines } from '../../src/recommenders/baselines.ts';
import { interactionsFrom } from '../recommenders/worlds.ts';

const runtime = new Runtime({ threads: 2 });

/** Users of three tastes, each choosing from the 12 items of the taste, one after the other. */
function tastes(): Interactions {
  const generator = new Generator(3);
  const pairs = Array.from({ length: 60 }, (_, user) =>
    Array.from(generator.permutation(12).subarray(0, 7), (item): [string, string] => [
      `u${user}`,
      `i${3 * item + (user % 3)}`,
    ]),
  ).flat();
  return interactionsFrom(pairs);
}

/** A clock by which each trial takes 300 seconds, however often it is looked at, and nothing else takes time. */
function trialClock(): { clock: () => number; onTrialStart: () => void } {
  let now = 0;
  let looks = Number.POSITIVE_INFINITY;
  return {
    // The first look of a trial is at its start.
    clock: () => {
      if (++looks === 2) now += 300_000;
      return now;
    },
    onTrialStart: () => {
      looks = 0;
    },
  };
}

/** A clock by which every look takes a second. */
function ticking(): () => number {
  let now = 0;
  return () => (now += 1000);
}

test('taste is found, the model is fitted on everything, and the trials say why it was chosen', async () => {
  const split = leaveLastOut(tastes());
  const trained = await trainRecommender(split.train, { runtime, budgetSeconds: 4000, ...trialClock() });
  const { best, other, trials, model, settings } = trained;
  assert.ok(trials.some((trial) => trial.model === 'als') && trials.some((trial) => trial.model === 'two-tower'));
  assert.equal(best.recall, Math.max(...trials.map(({ recall }) => recall)));
  assert.deepEqual([model.kind, settings], [best.model, best.settings]);
  assert.ok(other && other.trial.model !== best.model);
  assert.ok(Math.abs(other.difference.mean - (best.recall - other.trial.recall)) < 1e-12);
  const found = evaluateRecommender(trained.recommender, split, { ks: [5] });
  const [popularity] = baselines(split.train, runtime).map((model) => evaluateRecommender(model, split, { ks: [5] }));
  // 5 of the 6 unseen items of the taste: above 0.8, where popularity has about 5 of 30.
  assert.ok(found.metrics[0]!.recall.mean > 0.7, `${found.metrics[0]!.recall.mean}`);
  assert.ok(popularity!.metrics[0]!.recall.mean < 0.5, `${popularity!.metrics[0]!.recall.mean}`);
  // The choice fitted again is the same model, bit for bit.
  const again = await fitRecommender(split.train, best, { runtime });
  assert.deepEqual(again.index.call('u0', 5).scores, trained.index.call('u0', 5).scores);
  // What is served is what was judged.
  assert.equal(trained.index.call('u0', 5).identifiers().length, 5);
});

test('one seed, one search; a search that is gone on with runs no trial again', async () => {
  const rows = tastes();
  const options = { runtime, model: 'als', budgetSeconds: 1000, clock: () => 0 } as const;
  const whole = await trainRecommender(rows, options);
  assert.ok(whole.isSearchComplete);
  assert.equal(whole.other, undefined);
  const seen: Trial[] = [];
  const abort = new AbortController();
  const interrupted = trainRecommender(rows, {
    ...options,
    signal: abort.signal,
    onTrial: (trial) => {
      seen.push(trial);
      if (seen.length === 3) abort.abort();
    },
  });
  await assert.rejects(interrupted, { code: 'ERR_ABORTED' });
  const later: Trial[] = [];
  const started: ChosenModel[] = [];
  const kept = JSON.parse(JSON.stringify(seen)) as Trial[];
  const resumed = await trainRecommender(rows, {
    ...options,
    trials: kept,
    onTrialStart: (next) => started.push(next),
    onTrial: (trial) => later.push(trial),
  });
  assert.equal(later.length, whole.trials.length - 3);
  const searched = ({ model, settings }: ChosenModel): unknown[] => [
    model,
    ...['dimensions', 'unobservedWeight', 'regularization'].map((name) => settings[name]),
  ];
  assert.deepEqual(started.map(searched), later.map(searched));
  assert.deepEqual(resumed.trials, whole.trials);
  assert.deepEqual(resumed.index.call('u1').scores, whole.index.call('u1').scores);
});

test('a budget ends the search, but each model is tried', async () => {
  const { trials, isSearchComplete } = await trainRecommender(tastes(), {
    runtime,
    budgetSeconds: 1e-3,
    clock: ticking(),
  });
  assert.deepEqual(trials.map(({ model }) => model).sort(), ['als', 'two-tower']);
  assert.equal(isSearchComplete, false);
  const longer = await trainRecommender(tastes(), { runtime, model: 'als', budgetSeconds: 1500, ...trialClock() });
  assert.ok(longer.trials.length > 1 && !longer.isSearchComplete, `${longer.trials.length} trials`);
});

test('interactions that nobody can be held out of are refused', async () => {
  await assert.rejects(
    trainRecommender(
      interactionsFrom([
        ['u', 'a'],
        ['v', 'b'],
      ]),
      { runtime },
    ),
    { code: 'ERR_SHAPE' },
  );
  await assert.rejects(trainRecommender(tastes(), { runtime, budgetSeconds: 0 }), { code: 'ERR_OPTION' });
  await assert.rejects(trainRecommender(tastes(), { runtime, model: 'best' as never }), { code: 'ERR_OPTION' });
});

test('settings that are told are the only ones tried', async () => {
  const only = { model: 'als', settings: { dimensions: 3, unobservedWeight: 1, iterations: 4 } } as const;
  const { trials, best, isSearchComplete } = await trainRecommender(tastes(), { runtime, only });
  assert.deepEqual([trials.length, isSearchComplete], [1, true]);
  assert.deepEqual([best.model, best.settings], [only.model, { ...only.settings, recencyHalfLife: 0 }]);
});

test('trials of other data or options are ignored, and counted', async () => {
  const only = { model: 'als', settings: { dimensions: 3, unobservedWeight: 1, iterations: 4 } } as const;
  const options = { runtime, only, clock: () => 0 };
  const { trials } = await trainRecommender(tastes(), options);
  const again = await trainRecommender(tastes(), { ...options, trials });
  assert.deepEqual([again.ignoredTrials, again.trials], [0, trials]);
  const otherSeed = await trainRecommender(tastes(), { ...options, seed: 7, trials });
  const otherK = await trainRecommender(tastes(), { ...options, k: 3, trials });
  const otherData = await trainRecommender(leaveLastOut(tastes()).train, { ...options, trials });
  for (const { ignoredTrials, trials: run } of [otherSeed, otherK, otherData]) {
    assert.deepEqual([ignoredTrials, run.length], [1, 1]);
    assert.notEqual(run[0]!.fingerprint, trials[0]!.fingerprint);
  }
});

test('a budget that is over ends a fit after its least, and it is said', async () => {
  const chosen = { model: 'als', settings: { dimensions: 4, unobservedWeight: 0.3, iterations: 9 } } as const;
  const cut = await fitRecommender(tastes(), chosen, { runtime, budgetSeconds: 1e-3, clock: ticking() });
  assert.deepEqual([cut.isFitCut, cut.settings.iterations], [true, 4]);
  const whole = await fitRecommender(tastes(), chosen, { runtime, clock: ticking() });
  assert.deepEqual([whole.isFitCut, whole.settings.iterations], [false, 9]);
});

test('the search begins by the density and goes on from the best to its neighbours', () => {
  const start = { train: tastes(), budgetSeconds: 300 };
  const first = alsCandidates([], start);
  // 16 · 420 of 60 · 36 pairs: 3.1.
  assert.deepEqual(first, [{ dimensions: 64, unobservedWeight: 3, regularization: 0.003 }]);
  assert.ok(alsCandidates([], { ...start, budgetSeconds: 1e-4 })[0]!.dimensions! < 64, 'a small budget: narrower');
  const tried = (settings: Settings, recall: number): Trial => ({
    ...{ model: 'als', settings: { ...settings, iterations: 8, recencyHalfLife: 2 }, recall, perUser: [recall] },
    ...{ seconds: 1, fitSeconds: 1, isCut: false, fingerprint: '' },
  });
  const trials = [tried(first[0]!, 0.2)];
  const near = alsCandidates(trials, start);
  assert.deepEqual(near[0], { dimensions: 128, unobservedWeight: 3, regularization: 0.003, recencyHalfLife: 2 });
  assert.equal(near.length, 5, 'one weight, two widths, two regularizations');
  trials.push(tried(near[0]!, 0.1));
  assert.deepEqual(alsCandidates(trials, start), near.slice(1));
});

test('a trial whose factors leave the finite numbers counts as one that finds nothing, and does not end the search', async () => {
  const trials: Trial[] = [];
  const onTrial = (trial: Trial): void => {
    trials.push(trial);
  };
  // So little regularization leaves systems that have no solution.
  const settings = { dimensions: 8, unobservedWeight: 1e-30, regularization: 1e-30 };
  const only: ChosenModel = { model: 'als', settings };
  await assert.rejects(trainRecommender(tastes(), { only, onTrial, runtime }), DivergedError, 'the last fit');
  assert.equal(trials.length, 1);
  assert.equal(trials[0]!.recall, 0);
  assert.ok(trials[0]!.perUser.length > 0 && trials[0]!.perUser.every((recall) => recall === 0));
});

test('a model that there is not is refused by name, also one called like an inherited property', async () => {
  for (const model of ['knn', 'toString', '__proto__', undefined] as never[]) {
    await assert.rejects(fitRecommender(tastes(), { model, settings: {} }, { runtime }), {
      code: 'ERR_OPTION',
      message: /^model: expected one of als, two-tower, history, features, got/,
    });
  }
});
