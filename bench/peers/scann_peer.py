"""ScaNN: Google's wheel and scann-core, which share one Python interface. See protocol.py for the commands.

A point is {leavesToSearch, reorder}: leaves read and candidates scored again for each query.
"""

import numpy as np
import scann
from scann.scann_ops.py.scann_builder import ReorderType

from protocol import VectorPeer, seconds_of, serve


class Scann(VectorPeer):
    def build(
        self,
        leaves,
        threads=1,
        iterations=12,
        trainingSample=250_000,
        dimensionsPerBlock=2,
        threshold=0.2,
        avq=None,
        soar=None,
        overretrieve=1.8,
        spherical=False,
        quantizeCentroids=False,
        randomInit=True,
        reorderType="float32",
        lift=False,
    ):
        """`threshold` is anisotropic_quantization_threshold (null: off, always so in L2); `soar` is SOAR's lambda;
        `lift` turns L2 into inner product with one more dimension, which only scann-core has."""
        inner = self.metric != "l2" or lift
        tree = {
            "num_leaves": leaves,
            "num_leaves_to_search": max(1, leaves // 20),
            "training_sample_size": min(len(self.base), trainingSample),
            "training_iterations": iterations,
            "spherical": spherical,
            "quantize_centroids": quantizeCentroids,
            "random_init": randomInit,
        }
        if avq is not None:
            tree["avq"] = avq
        if soar is not None:
            tree.update(soar_lambda=soar, overretrieve_factor=overretrieve)
        code = {"anisotropic_quantization_threshold": threshold} if inner and threshold is not None else {}
        builder = scann.scann_ops_pybind.builder(self.base, 10, "squared_l2" if self.metric == "l2" else "dot_product")
        if lift:
            builder = builder.l2_as_dot_product()
        builder = (
            builder.tree(**tree)
            .score_ah(dimensionsPerBlock, **code)
            .reorder(100, ReorderType[reorderType.upper()])
            .set_n_training_threads(threads)
        )
        seconds, self.index = seconds_of(builder.build)
        return {"seconds": seconds}

    def _knobs(self, point, k):
        return {
            "final_num_neighbors": k,
            "leaves_to_search": point["leavesToSearch"],
            "pre_reorder_num_neighbors": point["reorder"],
        }

    def _one(self, point, k):
        knobs, search = self._knobs(point, k), self.index.search
        return lambda query: search(query, **knobs)

    def _all(self, queries, point, k, threads):
        self.index.set_num_threads(threads)
        search = self.index.search_batched if threads == 1 else self.index.search_batched_parallel
        ids, scores = search(queries, **self._knobs(point, k))
        # A row with too few results is filled with candidate 0 and the distance NaN.
        return np.where(np.isnan(scores), -1, ids)

    def _save(self, folder):
        self.index.serialize(folder)


if __name__ == "__main__":
    serve(Scann())
