/** Anisotropic centroids. Formulas and layouts: packages/core/assembly/anisotropic-centroids.ts. */
import type { RecordAddress } from '../record.ts';

/** A call of anisotropicCentroids. */
export const ANISOTROPIC_CENTROIDS = {
  name: 'anisotropicCentroids',
  fields: {
    /** [n, d] float32. */
    rows: 'usize',
    d: 'i32',
    /** [leaves + 1] int32: where each leaf's members begin in `order`. */
    leafBegin: 'usize',
    order: 'usize',
    /** Members that a leaf's sums run over, at most. */
    membersMax: 'i32',
    /** [members, 2] float32: a and b of each member. */
    coefficients: 'usize',
    /** [leaves, d] float32, replaced in place. */
    centroids: 'usize',
    /** [leaves, 2] float64. */
    sums: 'usize',
    /** 12·(d + 4) bytes per slot. */
    scratch: 'usize',
  },
} as const;

/** The kernel of anisotropic centroids. */
export interface AnisotropicCentroidsKernels {
  /** Centroids of leaves by conjugate gradients. Items: leaves. */
  anisotropicCentroids(
    begin: number,
    end: number,
    slot: number,
    call: RecordAddress<typeof ANISOTROPIC_CENTROIDS>,
  ): void;
}
