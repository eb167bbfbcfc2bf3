/**
 * The request that nearly every client sends, read without tensors: one query of one text feature, in row form and
 * without a signature's name, `{"instances": ["42"]}`. The general way makes four maps and two tensors for it, a tenth of
 * the request's time. What is not exactly of that form, mistakes included, is left to the general way.
 */
import type { RequestLimits } from '../models/run-signature.ts';
import type { ServedVersion } from '../models/served-version.ts';
import type { Query } from '../servable/contract.ts';

/** The form, with the feature between quotation marks as it is: nothing in it is escaped, nothing is a control character. */
const SINGLE = new RegExp(
  ['^', '\\{', '"instances"', ':', '\\[', '"([ !#-[\\]-~\\u00a0-\\uffff]*)"', '\\]', '\\}'].join('[ \\t\\r\\n]*'),
);
/** Longer bodies are not worth a second look should they be of another form. */
const LENGTH_MAX = 256;

/** The query of a body; undefined where the general way must read it. */
export function singleQuery({ servable }: ServedVersion, body: string, limits: RequestLimits): Query | undefined {
  const { features, k } = servable;
  if (body.length > LENGTH_MAX || features.length !== 1 || k > limits.k || limits.queries < 1) return undefined;
  const { datatype, shape } = features[0]!;
  if (datatype !== 'BYTES' || shape.length > 0) return undefined;
  const text = SINGLE.exec(body)?.[1];
  return text === undefined ? undefined : { k, features: text };
}
