/** All records of kernels: the build makes a class of each, and the pool finds each by the name of its kernel. */
import { SOLVE_ROWS } from './families/als.ts';
import { ANISOTROPIC_CENTROIDS } from './families/anisotropic-centroids.ts';
import { ASSIGN_NEAREST, ASSIGN_SECOND } from './families/assign.ts';
import { CAUSAL_ATTENTION, CAUSAL_ATTENTION_GRADIENT } from './families/attention.ts';
import { SEARCH_COARSE } from './families/coarse.ts';
import { ASSIGN_GROUPED, NEAREST_GROUPS } from './families/groups.ts';
import { LAYER_NORM_GRADIENT } from './families/layers.ts';
import {
  MULTIPLY_ROWS,
  MULTIPLY_ROWS_FUSED,
  MULTIPLY_TRANSPOSED,
  MULTIPLY_TRANSPOSED_FUSED,
} from './families/multiply.ts';
import { ASSIGN_LISTED, NEAREST_LISTED } from './families/neighbours.ts';
import { ADAM_ROWS, MOMENTUM_ROWS } from './families/optimizers.ts';
import { GATHER_CLUSTERED, GROUP_USES } from './families/pointers.ts';
import { ENCODE_PRODUCT } from './families/product.ts';
import { SCANN_CALL, SCANN_INDEX, SCANN_STATE } from './families/scann.ts';
import { ENCODE_COPIES, ORDER_LEAVES, PACK_GROUPS } from './families/scann-build.ts';
import { SOFTMAX_PAIRS, SOFTMAX_TILE } from './families/softmax.ts';
import { SEARCH_PANELS } from './families/topk.ts';
import type { RecordDescription } from './record.ts';

/** The records of the kernels of indexes. */
export const INDEX_RECORDS: readonly RecordDescription[] = [
  SEARCH_PANELS,
  SEARCH_COARSE,
  ANISOTROPIC_CENTROIDS,
  ASSIGN_NEAREST,
  ASSIGN_SECOND,
  SCANN_INDEX,
  SCANN_CALL,
  SCANN_STATE,
  ENCODE_COPIES,
  ORDER_LEAVES,
  PACK_GROUPS,
];

/** The records of the kernels of products. */
export const MULTIPLY_RECORDS: readonly RecordDescription[] = [MULTIPLY_ROWS, MULTIPLY_TRANSPOSED];

/** The records of the kernels of models. */
export const MODEL_RECORDS: readonly RecordDescription[] = [
  MULTIPLY_ROWS_FUSED,
  MULTIPLY_TRANSPOSED_FUSED,
  LAYER_NORM_GRADIENT,
  CAUSAL_ATTENTION,
  CAUSAL_ATTENTION_GRADIENT,
  GATHER_CLUSTERED,
  GROUP_USES,
  SOFTMAX_TILE,
  SOFTMAX_PAIRS,
  ADAM_ROWS,
  MOMENTUM_ROWS,
  ENCODE_PRODUCT,
  ASSIGN_LISTED,
  ASSIGN_GROUPED,
  NEAREST_GROUPS,
  NEAREST_LISTED,
  SOLVE_ROWS,
];
