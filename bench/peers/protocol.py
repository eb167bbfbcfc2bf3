"""The peers' line protocol: one JSON object a line on stdin, one JSON object a line back.

`{"do": NAME, ...}` calls the method NAME with the other fields as arguments; the reply is what it returns, or
`{"error": text}`. The process lives until stdin ends, so a benchmark can ask for one round at a time and alternate with
its own. What is timed is timed here, in the peer's own process, without the pipe; it includes what any Python caller pays.
"""

import json
import os
import sys
import tempfile
import time

import numpy as np


def serve(peer):
    # Libraries may print to file descriptor 1, so responses use a copy of the original one.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        name = request.pop("do")
        try:
            if name.startswith("_") or not callable(getattr(peer, name, None)):
                raise ValueError(f"do: expected a command, got {name}")
            reply = getattr(peer, name)(**request)
        except Exception as error:
            reply = {"error": f"{name}: {type(error).__name__}: {error}"}
        print(json.dumps(reply), file=replies, flush=True)


def seconds_of(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def latency(call, arguments, repeat, warmup=20):
    """Latencies of single calls, in milliseconds; the arguments are used in turn."""
    times = np.empty(repeat)
    for i in range(-warmup, repeat):
        argument = arguments[i % len(arguments)]
        start = time.perf_counter()
        call(argument)
        if i >= 0:
            times[i] = time.perf_counter() - start
    times *= 1e3
    return {
        "p50Ms": float(np.median(times)),
        "p99Ms": float(np.percentile(times, 99)),
        "meanMs": float(times.mean()),
        "calls": repeat,
    }


def recall_of(found, truth, k):
    """The share of the exact top k that was found; -1 marks a missing result."""
    return float(np.mean([len(set(f[:k].tolist()) & set(t[:k].tolist())) / k for f, t in zip(found, truth)]))


def folder_bytes(save):
    """The number of bytes that `save(folder)` writes."""
    with tempfile.TemporaryDirectory() as folder:
        save(folder)
        return sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))


class VectorPeer:
    """A library of nearest neighbours over given vectors. A subclass has `build(**options)`, which sets self.index,
    and `_one(point, k)`, `_all(point, k, threads)`: a function of one query [D], and the ids [B, k] of a batch."""

    def load(self, base, queries, truth=None, metric="dot"):
        self.metric = metric
        self.base = np.ascontiguousarray(np.load(base), np.float32)
        self.truth = None if truth is None else np.load(truth)
        self.queries = self._queries(queries)
        if metric == "cosine":
            self.base /= np.linalg.norm(self.base, axis=1, keepdims=True)
        return {"rows": len(self.base), "dimensions": self.base.shape[1], "queries": len(self.queries)}

    def _queries(self, path):
        queries = np.ascontiguousarray(np.load(path), np.float32)
        return queries / np.linalg.norm(queries, axis=1, keepdims=True) if self.metric == "cosine" else queries

    def query(self, k=10, repeat=1000, start=0, **point):
        """Single queries, one after another on one thread, from query number `start` on."""
        return latency(self._one(point, k), np.roll(self.queries, -start, axis=0), repeat)

    def batch(self, k=10, threads=1, queries=None, truth=None, answers=None, **point):
        """All queries in one call; recall where there is a truth; `answers` is the .npy file to write ids to."""
        rows = self.queries if queries is None else self._queries(queries)
        wanted = self.truth if queries is None else None
        wanted = wanted if truth is None else np.load(truth)
        seconds, found = seconds_of(lambda: self._all(rows, point, k, threads))
        reply = {"seconds": seconds, "queries": len(rows), "perSecond": len(rows) / seconds}
        if wanted is not None:
            reply["recall"] = recall_of(found, wanted, k)
        if answers is not None:
            np.save(answers, np.asarray(found, np.int32))
            reply["answers"] = answers
        return reply

    def bytes(self):
        """Bytes of the saved index, with the vectors that it holds."""
        return {"bytes": folder_bytes(self._save)}
