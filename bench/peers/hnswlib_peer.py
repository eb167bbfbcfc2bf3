"""hnswlib: a hierarchical navigable small world graph. See protocol.py for the commands.

A point is {ef}: the length of the candidate list of a search.
"""

import os

import hnswlib

from protocol import VectorPeer, seconds_of, serve


class Hnswlib(VectorPeer):
    def build(self, links=12, efConstruction=100, threads=1, seed=100):
        """`links` is the M of the paper: the edges of a node on each layer; the lowest layer has twice as many."""
        self.index = hnswlib.Index(space="l2" if self.metric == "l2" else "ip", dim=self.base.shape[1])
        self.index.init_index(
            max_elements=len(self.base), ef_construction=efConstruction, M=links, random_seed=seed
        )
        self.index.set_num_threads(threads)
        seconds, _ = seconds_of(lambda: self.index.add_items(self.base))
        return {"seconds": seconds}

    def _set(self, point, threads):
        self.index.set_num_threads(threads)
        self.index.set_ef(point["ef"])

    def _one(self, point, k):
        self._set(point, 1)
        search = self.index.knn_query
        return lambda query: search(query[None], k)

    def _all(self, queries, point, k, threads):
        self._set(point, threads)
        return self.index.knn_query(queries, k)[0]

    def _save(self, folder):
        self.index.save_index(os.path.join(folder, "index"))


if __name__ == "__main__":
    serve(Hnswlib())
