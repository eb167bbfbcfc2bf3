"""implicit's ALS (Hu, Koren, Volinsky 2008) on pairs of users and items. See protocol.py for how commands arrive.

Its objective weighs an unobserved pair 1 and an observed one c, with a regularization that is the same for all rows. Ours
(Rendle et al. 2022) adds an unobserved weight a of all pairs to an observed weight of 1: c = 1 + 1 / a.
"""

import numpy as np
import scipy.sparse
from implicit.cpu.als import AlternatingLeastSquares

from protocol import seconds_of, serve


class Implicit:
    def load(self, users, items, shape):
        """Two .npy files of codes, a pair a row."""
        users, items = np.load(users), np.load(items)
        self.pairs = scipy.sparse.csr_matrix((np.ones(len(users), np.float32), (users, items)), shape=shape)
        return {"rows": int(self.pairs.nnz)}

    def fit(self, dimensions, iterations, unobservedWeight, regularization, threads=0, seed=42):
        self.model = AlternatingLeastSquares(
            factors=dimensions,
            iterations=iterations,
            regularization=regularization,
            num_threads=threads,
            random_state=seed,
        )
        weighted = self.pairs * (1 + 1 / unobservedWeight)
        seconds, _ = seconds_of(lambda: self.model.fit(weighted.astype(np.float32), show_progress=False))
        return {"seconds": seconds}

    def recommend(self, users, k, to):
        """Writes [users, k] codes of the items with the highest scores that a user does not have; -1 where there is none."""
        users = np.load(users)
        ids, _ = self.model.recommend(users, self.pairs[users], N=k, filter_already_liked_items=True)
        np.save(to, ids.astype(np.int32))
        return {"users": len(users)}


if __name__ == "__main__":
    serve(Implicit())
