/**
 * Reads the request that nearly every client sends without making tensors: one query with one text feature, in row form
 * and without a signature's name, `{"instances": ["42"]}`. The general reader (predict-request.ts) makes four maps and
 * two tensors for it, which takes a tenth of the request's time. Any other request, even one with a mistake, is left to
 * the general reader.
 */
import type { RequestLimits } from '../models/run-signature.ts';
import type { ServedVersion } from '../models/served-version.ts';
import type { Query } from '../servable/contract.ts';

/** The form of such a body. The feature contains no escapes and no control characters, so it needs no decoding. */
const SINGLE = new RegExp(
  ['^', '\\{', '"instances"', ':', '\\[', '"([ !#-[\\]-~\\u00a0-\\uffff]*)"', '\\]', '\\}'].join('[ \\t\\r\\n]*'),
);
/** Longest body that is matched. For a longer one of another form the failed match would cost too much. */
const LENGTH_MAX = 256;

/** The query of a body; undefined if the general reader must read the body. */
export function singleQuery({ servable }: ServedVersion, body: string, limits: RequestLimits): Query | undefined {
  const { features, k } = servable;
  if (body.length > LENGTH_MAX || features.length !== 1 || k > limits.k || limits.queries < 1) return undefined;
  const { datatype, shape, isRaw = false } = features[0]!;
  if (datatype !== 'BYTES' || shape.length > 0 || isRaw) return undefined;
  const text = SINGLE.exec(body)?.[1];
  return text === undefined ? undefined : { k, features: text };
}
