"""Prepares the vectors for the benchmarks of approximate search from the data sets in $SHORTLIST_DATA.

    echo '{"do": "prepare", "to": "/tmp/vectors"}' | SHORTLIST_DATA=… python datasets.py

writes a folder a set: base.npy [N, D] and queries.npy [B, D] float32, truth.npy [B, 100] int32 (rows of the exact top
100, by faiss) and meta.json. Queries are never rows of the base. Speaks the protocol of protocol.py.
"""

import gzip
import json
import os

import faiss
import numpy as np

from protocol import serve

TRUTH = 100


def read(*path):
    return np.load(os.path.join(os.environ["SHORTLIST_DATA"], *path))


def held_out(vectors, step):
    """Every `step`-th row is a query and leaves the base. Queries are shuffled: files are sorted by frequency, and the
    first thousand of them shall stand for all."""
    taken = np.arange(0, len(vectors), step)
    queries = vectors[taken][np.random.default_rng(0).permutation(len(taken))]
    return np.delete(vectors, taken, axis=0), queries


def glove():
    vectors = read("glove-6b-50d", "emb_f16.npy").astype(np.float32)
    return *held_out(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), 40), "cosine"


def french():
    return *held_out(read("wordvec-fr-20k-300", "vectors.npy").astype(np.float32), 20), "dot"


def lastfm():
    items, users = (read("lightgcn-lastfm-64", f"lastfm_{kind}.npy").astype(np.float32) for kind in ("item", "user"))
    return items, users, "dot"


def sift():
    return *held_out(read("sift-5k-ngt", "base.u8.npy").astype(np.float32), 10), "l2"


def mnist():
    with gzip.open(os.path.join(os.environ["SHORTLIST_DATA"], "mnist-t10k", "t10k-images-idx3-ubyte.gz")) as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16)
    return *held_out(pixels.reshape(-1, 784).astype(np.float32), 10), "l2"


SETS = {"glove": glove, "french": french, "lastfm": lastfm, "sift": sift, "mnist": mnist}


def exact(base, queries, metric):
    index = faiss.IndexFlatL2(base.shape[1]) if metric == "l2" else faiss.IndexFlatIP(base.shape[1])
    index.add(np.ascontiguousarray(base))
    return index.search(np.ascontiguousarray(queries), min(TRUTH, len(base)))[1].astype(np.int32)


class Datasets:
    def prepare(self, to, sets=None, again=False):
        """Makes the named sets (default: all that are made from files). Existing sets are kept."""
        made = {}
        for name in sets or SETS:
            folder = os.path.join(to, name)
            if again or not os.path.exists(os.path.join(folder, "meta.json")):
                self._write(folder, *SETS[name]())
            made[name] = self._meta(folder)
        return made

    def tutorial(self, folder):
        """From base.npy and batch.npy (the queries of all tests, repeats included), as TFRS's `export` writes them:
        queries.npy, the distinct ones, their truth.npy, and batch-truth.npy."""
        base, batch = np.load(os.path.join(folder, "base.npy")), np.load(os.path.join(folder, "batch.npy"))
        queries, of_test = np.unique(batch, axis=0, return_inverse=True)
        order = np.random.default_rng(0).permutation(len(queries))
        truth = self._write(folder, base, queries[order], "dot")
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        np.save(os.path.join(folder, "batch-truth.npy"), truth[place[of_test.ravel()]])
        return self._meta(folder)

    def _meta(self, folder):
        with open(os.path.join(folder, "meta.json")) as file:
            return json.load(file)

    def _write(self, folder, base, queries, metric):
        os.makedirs(folder, exist_ok=True)
        truth = exact(base, queries, metric)
        for name, rows in {"base": base, "queries": queries, "truth": truth}.items():
            np.save(os.path.join(folder, f"{name}.npy"), np.ascontiguousarray(rows))
        with open(os.path.join(folder, "meta.json"), "w") as file:
            json.dump({"metric": metric, "rows": len(base), "dimensions": base.shape[1], "queries": len(queries)}, file)
        return truth


if __name__ == "__main__":
    serve(Datasets())
