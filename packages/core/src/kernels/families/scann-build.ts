/** Leaves and codes of a ScaNN index. Formulas and layouts: packages/core/assembly/scann-build.ts. */

/** The scann-build kernels. */
export interface ScannBuildKernels {
  /** Lloyd's iterations for the codebooks of blocks. Items: blocks. */
  trainBlocks(
    begin: number,
    end: number,
    slot: number,
    sample: number,
    n: number,
    blocks: number,
    width: number,
    iterations: number,
    codebook: number,
    scratch: number,
  ): void;
  /** Codes and corrections of copies. Items: copies. */
  encodeCopies(
    begin: number,
    end: number,
    slot: number,
    rows: number,
    d: number,
    copyRow: number,
    labels: number,
    centroids: number,
    codebook: number,
    blocks: number,
    width: number,
    eta: number,
    kind: number,
    codes: number,
    corrections: number,
    scratch: number,
  ): void;
  /** Order the copies of leaves and bound their groups. Items: leaves. */
  orderLeaves(
    begin: number,
    end: number,
    slot: number,
    rows: number,
    d: number,
    copyRow: number,
    centroids: number,
    leafBegin: number,
    order: number,
    leafQuads: number,
    bounds: number,
    keys: number,
  ): void;
  /** Pack groups of 32 codes. Items: groups. */
  packGroups(
    begin: number,
    end: number,
    slot: number,
    groupLeaf: number,
    leafGroups: number,
    leafBegin: number,
    order: number,
    copyRow: number,
    codes: number,
    blocks: number,
    correctionCodes: number,
    corrections: number,
    packed: number,
    rowOfSlot: number,
    valid: number,
  ): void;
  /** Or one point's codes into its group. */
  packPoint(
    group: number,
    i: number,
    codes: number,
    blocks: number,
    correctionCodes: number,
    corrections: number,
  ): void;
}
