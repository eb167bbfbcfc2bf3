/**
 * Parameter groups: other optimizers for other parameters of a model, as the groups of PyTorch's optimizers.
 *
 * A feature's own optimizer comes before that of all tables or all layers. A frozen group keeps its parameters: it has no
 * state and takes no step. Gradients are clipped within a group, by its own optimizer.
 */
import { checkArgument } from '../checks/arguments.ts';
import { nearestName } from '../checks/nearest-name.ts';
import { shown } from '../checks/numbers.ts';
import { ANY, OBJECT, optionsCheck, optionType } from '../checks/options.ts';
import { OptionError, StateError } from '../errors/errors.ts';
import { MATRIX, type Matrix } from '../vectors/matrix.ts';
import { Adagrad } from './adagrad.ts';
import type { SparseOptimizer } from './contract.ts';
import { makeOptimizer, type OptimizerSpec } from './make-optimizer.ts';

/** The parameters that a name of a model stands for, such as those of a feature. */
export interface NamedParameters {
  readonly kind: 'tables' | 'layers';
  /** The names that stand for them, such as 'movieId' and 'candidateTower.movieId'. */
  readonly names: readonly string[];
  readonly matrices: readonly Matrix[];
}

/** The optimizer of a group, or 'frozen' for parameters that are not trained. */
export type GroupOptimizer = SparseOptimizer | OptimizerSpec | 'frozen';

/** The groups of a model's parameters. */
export interface ParameterGroupsOptions {
  /** The optimizer of embedding tables; default Adagrad. */
  tables?: GroupOptimizer;
  /** The optimizer of layers, also of those that project vectors and numbers; default Adagrad. */
  layers?: GroupOptimizer;
  /**
   * The optimizers of single features by name: `movieId` for both towers, or `candidateTower.movieId`. The table of a tower
   * of one plain word is called after its tower.
   */
  features?: Readonly<Record<string, GroupOptimizer>>;
}

const checkOptions = optionsCheck<ParameterGroupsOptions>('ParameterGroups', {
  tables: ANY,
  layers: ANY,
  features: OBJECT,
});

const NAMED = optionType(
  'a list of named parameters',
  (value) => Array.isArray(value) && value.every((each) => Array.isArray(each?.names) && Array.isArray(each.matrices)),
);

/** Keeps parameters as they are. */
class Frozen implements SparseOptimizer {
  readonly name = 'frozen';
  learningRate = 0;

  beginStep(): void {}

  endStep(): void {}

  step(): void {}

  state(): undefined {
    return undefined;
  }

  resetState(): void {}

  stateBytes(): number {
    return 0;
  }
}

/** An optimizer that passes each parameter matrix to the optimizer of its group. */
export class ParameterGroups implements SparseOptimizer {
  readonly groups: readonly SparseOptimizer[];
  readonly #kinds: Readonly<Record<NamedParameters['kind'], SparseOptimizer>>;
  readonly #features: ReadonlyMap<string, SparseOptimizer>;
  readonly #of = new Map<Matrix, SparseOptimizer>();

  /** @throws {OptionError} when an option is unknown, or one of a group is */
  constructor(options: ParameterGroupsOptions = {}) {
    const { tables = new Adagrad(), layers = new Adagrad(), features = {} } = checkOptions(options);
    this.#kinds = { tables: groupOptimizer('tables', tables), layers: groupOptimizer('layers', layers) };
    this.#features = new Map(
      Object.entries(features).map(([name, of]) => [name, groupOptimizer(`features.${name}`, of)]),
    );
    this.groups = [...new Set([this.#kinds.tables, this.#kinds.layers, ...this.#features.values()])];
  }

  /** 'groups(adagrad, adam)' */
  get name(): string {
    return `groups(${this.groups.map(({ name }) => name).join(', ')})`;
  }

  /** The rate of the first group; setting it sets the rate of every group that is not frozen. */
  get learningRate(): number {
    return this.groups[0]!.learningRate;
  }

  set learningRate(learningRate: number) {
    for (const group of this.groups) if (!(group instanceof Frozen)) group.learningRate = learningRate;
  }

  /**
   * Take the parameters of a model.
   *
   * @throws {OptionError} when a feature of the options is none of the model's, of which the nearest is told, or a table is
   * shared by features with different optimizers
   */
  bind(parameters: readonly NamedParameters[]): void {
    checkArgument('parameters', parameters, NAMED);
    const known = [...new Set(parameters.flatMap(({ names }) => names))];
    for (const name of this.#features.keys()) {
      if (known.includes(name)) continue;
      const near = nearestName(name, known);
      const expected = near === undefined ? `one of the features ${known.join(', ')}` : `a feature, nearest is ${near}`;
      throw new OptionError(`optimizer.features: expected ${expected}, got ${shown(name)}`);
    }
    const named = new Map<Matrix, { optimizer: SparseOptimizer; name: string }>();
    for (const { kind, names, matrices } of parameters) {
      // The longest name is the one that also names the tower.
      const name = names.filter((each) => this.#features.has(each)).sort((a, b) => b.length - a.length)[0];
      for (const matrix of matrices) {
        const before = named.get(matrix);
        if (name === undefined) {
          this.#of.set(matrix, before?.optimizer ?? this.#kinds[kind]);
          continue;
        }
        const optimizer = this.#features.get(name)!;
        if (before && before.optimizer !== optimizer) {
          throw new OptionError(
            `optimizer.features: expected one optimizer of the table that ${before.name} and ${name} share, got two`,
          );
        }
        named.set(matrix, { optimizer, name });
        this.#of.set(matrix, optimizer);
      }
    }
  }

  /** True for parameters of a frozen group. */
  isFrozen(parameters: Matrix): boolean {
    return this.#of.get(checkArgument('parameters', parameters, MATRIX)) instanceof Frozen;
  }

  beginStep(step: number): void {
    for (const group of this.groups) group.beginStep(step);
  }

  endStep(): void {
    for (const group of this.groups) group.endStep();
  }

  /** @throws {StateError} when the parameters are of no model that the groups were bound to */
  step(parameters: Matrix, rows: Int32Array, gradients: Matrix): void {
    this.#groupOf(parameters).step(parameters, rows, gradients);
  }

  state(parameters: Matrix): Matrix | undefined {
    return this.#groupOf(parameters).state(parameters);
  }

  resetState(parameters: Matrix, from?: number, to?: number): void {
    this.#groupOf(parameters).resetState(parameters, from, to);
  }

  stateBytes(): number {
    return this.groups.reduce((sum, group) => sum + group.stateBytes(), 0);
  }

  #groupOf(parameters: Matrix): SparseOptimizer {
    const group = this.#of.get(parameters);
    if (!group)
      throw new StateError(
        'optimizer: expected parameters of a model that was made with it, got those of no such model',
      );
    return group;
  }
}

/** True for parameters that an optimizer keeps as they are. */
export function isFrozen(optimizer: SparseOptimizer, parameters: Matrix): boolean {
  return optimizer instanceof ParameterGroups && optimizer.isFrozen(parameters);
}

function groupOptimizer(name: string, optimizer: GroupOptimizer): SparseOptimizer {
  if (optimizer === 'frozen') return new Frozen();
  if (typeof optimizer === 'object' && optimizer !== null) return makeOptimizer(optimizer);
  throw new OptionError(`optimizer.${name}: expected an optimizer, its options or 'frozen', got ${shown(optimizer)}`);
}

/** An optimizer, or the description of one or of parameter groups in plain JSON. */
export type OptimizerOption = SparseOptimizer | OptimizerSpec | ParameterGroupsOptions;

/**
 * The optimizer that an option describes, bound to the parameters of the model that takes it.
 *
 * @throws {OptionError} when a method, option or feature is unknown
 */
export function boundOptimizer(option: OptimizerOption, parameters: readonly NamedParameters[]): SparseOptimizer {
  const isGroups = !('method' in option) && !('step' in option);
  const optimizer = isGroups ? new ParameterGroups(option) : makeOptimizer(option);
  if (optimizer instanceof ParameterGroups) optimizer.bind(parameters);
  return optimizer;
}
