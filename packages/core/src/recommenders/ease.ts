/**
 * EASE^R: a linear model that predicts items from the items of a history, solved in closed form.
 *
 *   P = (XᵀX + λI)⁻¹    B_ij = −P_ij / P_jj, B_jj = 0    score(user, j) = Σ_{i in the history} B_ij
 *
 * X [users, items] is 1 where a user chose an item. Source: Steck, "Embarrassingly shallow autoencoders for sparse
 * data", WWW 2019. Where there are fewer users than items, the same scores come from a users × users inverse
 * (Woodbury). With C = (XXᵀ + λI)⁻¹ and U_j the users of item j, for the unseen items of a history x:
 *
 *   score(j) = (Xᵀ C X x)_j / (1 − Σ_{u,v ∈ U_j} C_uv)
 *
 * Work: n³/2 products and 4 n² bytes, n the smaller side. Limit: 10,000 items.
 */
import { checkPositive } from '../checks/numbers.ts';
import { NUMBER, optionsCheck } from '../checks/options.ts';
import { checkInteractions, type Interactions } from '../data/interactions.ts';
import { type CodeLists, itemsByUser, listOf, transposeLists } from '../data/items-by-user.ts';
import { OptionError } from '../errors/errors.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import { Matrix } from '../vectors/matrix.ts';
import { BestItems } from './best-items.ts';
import { checkRecommend, type Recommender } from './contract.ts';
import { invertibleSize, invertSymmetric } from './symmetric-inverse.ts';

/** The most items: 10,000² floats are 400 MB, and their inverse takes a minute or two on two cores. */
export const EASE_ITEMS_MAX = 10_000;

/** Options of `Ease`. */
export interface EaseOptions {
  /** λ > 0; default 300. More data and longer histories need a larger one. */
  regularization?: number;
  runtime?: Runtime;
}

const checkOptions = optionsCheck<EaseOptions>('Ease', { regularization: NUMBER, runtime: RUNTIME });

/** Ranks items by a linear model of the history. */
export class Ease implements Recommender {
  readonly name = 'EASE';
  readonly #itemCount: number;
  readonly #score: (history: Int32Array, scores: Float64Array) => void;

  /**
   * Fit the model.
   *
   * @throws {OptionError} when there are more than 10,000 items, or an option is out of range
   */
  constructor(interactions: Interactions, options: EaseOptions = {}) {
    checkInteractions(interactions);
    const { regularization = 300, runtime = defaultRuntime() } = checkOptions(options);
    checkPositive('regularization', regularization);
    const itemCount = interactions.items.vocabulary.length;
    if (itemCount > EASE_ITEMS_MAX) {
      throw new OptionError(`items: expected at most ${EASE_ITEMS_MAX} for EASE, got ${itemCount}`);
    }
    this.#itemCount = itemCount;
    const byUser = itemsByUser(interactions);
    const userCount = byUser.starts.length - 1;
    this.#score =
      userCount < itemCount
        ? scoreByUsers(byUser, regularization, runtime)
        : scoreByItems(byUser, regularization, runtime);
  }

  recommend(users: Int32Array, histories: CodeLists, k: number): Int32Array[] {
    checkRecommend(users, histories, k);
    const scores = new Float64Array(this.#itemCount);
    const best = new BestItems(this.#itemCount, k);
    return Array.from(users, (user) => {
      const history = listOf(histories, user);
      this.#score(history, scores.fill(0));
      return best.select(scores, history);
    });
  }
}

/** (L Lᵀ + λI)⁻¹, where L[a][c] is 1 if list a has code c. Entry (a, b) of L Lᵀ counts the codes that both lists have. */
function inverseOfProducts(lists: CodeLists, regularization: number, runtime: Runtime): Matrix {
  const size = lists.starts.length - 1;
  const n = invertibleSize(size);
  const matrix = new Matrix(n, n, runtime);
  const { data } = matrix;
  const transposed = transposeLists(lists);
  for (let code = 0; code < lists.codeCount; code++) {
    const members = listOf(transposed, code);
    for (const a of members) for (const b of members) data[a * n + b]!++;
  }
  for (let i = 0; i < n; i++) data[i * n + i] = data[i * n + i]! + (i < size ? regularization : 1);
  invertSymmetric(matrix);
  return matrix;
}

function scoreByItems(
  byUser: CodeLists,
  regularization: number,
  runtime: Runtime,
): (history: Int32Array, scores: Float64Array) => void {
  const inverse = inverseOfProducts(transposeLists(byUser), regularization, runtime);
  const n = inverse.dimensions;
  return (history, scores) => {
    const { data } = inverse;
    for (const item of history) for (let j = 0; j < scores.length; j++) scores[j] = scores[j]! - data[item * n + j]!;
    for (let j = 0; j < scores.length; j++) scores[j] = scores[j]! / data[j * n + j]!;
  };
}

function scoreByUsers(
  byUser: CodeLists,
  regularization: number,
  runtime: Runtime,
): (history: Int32Array, scores: Float64Array) => void {
  const inverse = inverseOfProducts(byUser, regularization, runtime);
  const n = inverse.dimensions;
  const byItem = transposeLists(byUser);
  const userCount = byUser.starts.length - 1;
  const c = inverse.data;
  const rest = Float64Array.from({ length: byUser.codeCount }, (_, item) => {
    let sum = 0;
    const users = listOf(byItem, item);
    for (const u of users) for (const v of users) sum += c[u * n + v]!;
    return 1 - sum;
  });
  const shared = new Float64Array(userCount);
  const weights = new Float64Array(userCount);
  return (history, scores) => {
    const { data } = inverse;
    shared.fill(0);
    for (const item of history) for (const user of listOf(byItem, item)) shared[user]!++;
    multiplyRows(data, n, shared, weights);
    for (let u = 0; u < userCount; u++) {
      for (const item of listOf(byUser, u)) scores[item] = scores[item]! + weights[u]!;
    }
    for (let j = 0; j < scores.length; j++) scores[j] = scores[j]! / rest[j]!;
  };
}

/**
 * product[u] = Σ_v data[u · n + v] · vector[v] for every u of the product. Four rows go side by side, because an addition
 * waits for the one before it in its sum; each sum has the bits of a row by itself.
 */
function multiplyRows(data: Float32Array, n: number, vector: Float64Array, product: Float64Array): void {
  const { length } = product;
  for (let u = 0; u < length; u += 4) {
    // Rows past the end are the last one again.
    const [a, b, c, d] = [u, u + 1, u + 2, u + 3].map((row) => Math.min(row, length - 1)) as [
      number,
      number,
      number,
      number,
    ];
    let [sumA, sumB, sumC, sumD] = [0, 0, 0, 0];
    for (let v = 0; v < length; v++) {
      const factor = vector[v]!;
      sumA += data[a * n + v]! * factor;
      sumB += data[b * n + v]! * factor;
      sumC += data[c * n + v]! * factor;
      sumD += data[d * n + v]! * factor;
    }
    product[d] = sumD;
    product[c] = sumC;
    product[b] = sumB;
    product[a] = sumA;
  }
}
