/** Measured costs of the work of a query that builds and models of latency weigh against each other, in nanoseconds. */

/** A block of the code of a point. */
export const CODE_NS = 0.025;
/** The rotation of a query, for each d²: the rotation is a product of the query with a d × d matrix. */
export const ROTATION_NS = 0.04;
