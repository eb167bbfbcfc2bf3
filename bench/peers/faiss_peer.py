"""faiss: an exact flat index, or any index its factory can make. See protocol.py for the commands.

A point of an inverted file is {leavesToSearch, reorder}; a flat index has none.
"""

import os

import faiss
import numpy as np

from protocol import VectorPeer, seconds_of, serve


class Faiss(VectorPeer):
    def build(self, kind="flat", leaves=1000, threads=1, trainingSample=250_000, factory=None):
        """kind: flat, or ivf: `leaves` inverted lists of 4-bit product codes, 2 dimensions each, scanned with SIMD
        shuffles and scored again exactly. `factory` overrides the description of the ivf index."""
        faiss.omp_set_num_threads(threads)
        dimensions = self.base.shape[1]
        metric = faiss.METRIC_L2 if self.metric == "l2" else faiss.METRIC_INNER_PRODUCT
        text = "Flat" if kind == "flat" else factory or f"IVF{leaves},PQ{dimensions // 2}x4fs,RFlat"
        self.index = faiss.index_factory(dimensions, text, metric)
        sample = np.random.default_rng(0).permutation(len(self.base))[:trainingSample]

        def work():
            if not self.index.is_trained:
                self.index.train(self.base[sample])
            self.index.add(self.base)

        seconds, _ = seconds_of(work)
        return {"seconds": seconds, "factory": text}

    def _set(self, point, k, threads):
        faiss.omp_set_num_threads(threads)
        if "leavesToSearch" in point:
            faiss.extract_index_ivf(self.index).nprobe = point["leavesToSearch"]
        if "reorder" in point:
            self.index.k_factor = max(1, point["reorder"] / k)

    def _one(self, point, k):
        self._set(point, k, 1)
        search = self.index.search
        return lambda query: search(query[None], k)

    def _all(self, queries, point, k, threads):
        self._set(point, k, threads)
        return self.index.search(queries, k)[1]

    def _save(self, folder):
        faiss.write_index(self.index, os.path.join(folder, "index"))


if __name__ == "__main__":
    serve(Faiss())
