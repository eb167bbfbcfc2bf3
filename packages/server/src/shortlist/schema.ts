/** The plain JSON API as JSON Schema: what requests are checked against, and what /openapi.json shows.
 * messages.ts has the same as types. scripts/build.mjs puts the plain JSON in this file's place. */
import { type TSchema, Type } from 'typebox';

const Identifier: TSchema = Type.Union([Type.String(), Type.Integer()]);
const Attribute: TSchema = Type.Union([
  ...[Type.String(), Type.Number(), Type.Boolean(), Type.Null()],
  Type.Array(Type.Union([Type.String(), Type.Number()]), { description: 'A list of values, such as genres.' }),
]);

/** `POST /v1/shortlist`. */
export const ShortlistRequestSchema: TSchema = Type.Object(
  {
    model: Type.Optional(Type.String({ description: 'Name of the model; may be left out where there is one.' })),
    version: Type.Optional(Type.Integer({ minimum: 0, description: 'Version; default the newest.' })),
    label: Type.Optional(Type.String({ description: 'Label of a version, instead of its number.' })),
    query: Type.Optional(Type.Unknown({ description: 'Raw features: the value, or an object of values by name.' })),
    embedding: Type.Optional(Type.Array(Type.Number(), { description: 'A query embedding, instead of `query`.' })),
    history: Type.Optional(
      Type.Array(Identifier, {
        minItems: 1,
        maxItems: 10_000,
        description:
          'Items that the user chose, the last at the end: what is asked where the model does not know the user of `query`, or ' +
          'instead of a query.',
      }),
    ),
    k: Type.Optional(Type.Integer({ minimum: 1 })),
    exclude: Type.Optional(Type.Array(Identifier, { description: 'Identifiers that may not be returned.' })),
    excludeSeen: Type.Optional(
      Type.Boolean({ description: 'Whether to leave out what the user has seen; default as the bundle says.' }),
    ),
    user: Type.Optional(
      Type.Union([Type.String(), Type.Integer()], {
        description: 'Whose seen items are left out; default the user that the query names.',
      }),
    ),
    include: Type.Optional(Type.Array(Identifier, { description: 'Only these identifiers may be returned.' })),
    filter: Type.Optional(
      Type.Unknown({
        description:
          'equals, in, range, and, or, not over attributes of candidates; a list matches where one of its values does.',
      }),
    ),
    perValue: Type.Optional(
      Type.Record(Type.String(), Type.Integer({ minimum: 1 }), {
        description: 'At most so many results with the same value, by attribute; each value of a list counts.',
      }),
    ),
    mmr: Type.Optional(
      Type.Object(
        { weight: Type.Number({ minimum: 0, maximum: 1 }), candidates: Type.Optional(Type.Integer({ minimum: 1 })) },
        {
          additionalProperties: false,
          description: 'Results chosen by maximal marginal relevance: weight 1 is relevance alone, 0 diversity alone.',
        },
      ),
    ),
    scoreThreshold: Type.Optional(Type.Number({ description: 'The least score of a result that is not pinned.' })),
    pin: Type.Optional(
      Type.Array(Identifier, { description: 'Candidates that come first, in this order, whatever their score.' }),
    ),
    block: Type.Optional(Type.Array(Identifier, { description: 'Candidates that are never returned.' })),
    attributes: Type.Optional(
      Type.Array(Type.String(), { description: 'The attributes that results show; default all.' }),
    ),
    leavesToSearch: Type.Optional(Type.Integer({ minimum: 1 })),
    reorder: Type.Optional(Type.Integer({ minimum: 1 })),
    timeoutMs: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  },
  { additionalProperties: false },
);

const {
  query: _,
  embedding: __,
  ...settings
} = (ShortlistRequestSchema as unknown as { properties: Record<string, TSchema> }).properties;

/** `POST /v1/similar`. */
export const SimilarRequestSchema: TSchema = Type.Object(
  {
    ...settings,
    ids: Type.Optional(
      Type.Array(Identifier, {
        minItems: 1,
        maxItems: 1000,
        description: 'Candidates that results are similar to; they are left out.',
      }),
    ),
    embedding: Type.Optional(
      Type.Array(Type.Number(), { description: 'A vector of a candidate’s kind, instead of `ids`.' }),
    ),
  },
  { additionalProperties: false },
);

/** The answer to both. */
export const ShortlistResponseSchema: TSchema = Type.Object({
  model: Type.String(),
  version: Type.Integer(),
  results: Type.Array(Type.Object({ id: Identifier, score: Type.Number() }, { additionalProperties: true })),
  unknown: Type.Optional(
    Type.Array(Type.String(), {
      description:
        'Features of the query whose value is not in the vocabulary: the answer is what everybody unknown gets.',
    }),
  ),
  history: Type.Optional(
    Type.Object(
      {
        isUsed: Type.Boolean({ description: 'Whether the results are those of the history.' }),
        items: Type.Integer({ description: 'Items of it that the model knows.' }),
        unknown: Type.Array(Identifier, { description: 'Items that the model does not know; they count for nothing.' }),
      },
      { description: 'What became of the history: the request’s, or what an unknown user has seen.' },
    ),
  ),
  tookMs: Type.Number(),
});

/** `POST /v1/candidates/upsert`. */
export const UpsertRequestSchema: TSchema = Type.Object(
  {
    model: Type.Optional(Type.String()),
    candidates: Type.Array(
      Type.Object(
        {
          id: Identifier,
          embedding: Type.Optional(
            Type.Array(Type.Number(), { description: 'The candidate’s vector, or else `features`.' }),
          ),
          features: Type.Optional(
            Type.Unknown({
              description:
                'Raw features, of which the bundle’s candidate tower makes the vector: the value, or values by name.',
            }),
          ),
          attributes: Type.Optional(Type.Record(Type.String(), Attribute)),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 10_000 },
    ),
  },
  { additionalProperties: false },
);

/** `POST /v1/candidates/delete`. */
export const DeleteRequestSchema: TSchema = Type.Object(
  {
    model: Type.Optional(Type.String()),
    ids: Type.Array(Identifier, { minItems: 1, maxItems: 10_000 }),
  },
  { additionalProperties: false },
);

/** `POST /v1/events`. */
export const EventsRequestSchema: TSchema = Type.Object(
  {
    model: Type.Optional(Type.String()),
    events: Type.Array(
      Type.Object(
        {
          user: Type.Union([Type.String({ minLength: 1 }), Type.Integer()], {
            description: 'The user; an integer is the same user as the text of its digits.',
          }),
          item: Type.Union([Type.String(), Type.Integer()], {
            description: 'What the user has seen: the identifier of a candidate, also of one that is not there (yet).',
          }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 10_000 },
    ),
  },
  { additionalProperties: false },
);

/** The answer to updates. */
export const UpdateResponseSchema: TSchema = Type.Object({
  model: Type.String(),
  version: Type.Integer(),
  acknowledged: Type.Integer(),
  unknown: Type.Optional(
    Type.Array(Type.Object({ id: Identifier, features: Type.Array(Type.String()) }), {
      description: 'Candidates with features whose value is not in the vocabulary of the candidate tower.',
    }),
  ),
});

/** Any refusal. */
export const ErrorResponseSchema: TSchema = Type.Object({
  error: Type.String(),
  code: Type.String(),
  requestId: Type.String(),
});

/** `PUT /admin/models/M/policy`. */
export const PolicyRequestSchema: TSchema = Type.Object(
  {
    latest: Type.Optional(Type.Integer({ minimum: 1 })),
    all: Type.Optional(Type.Boolean()),
    specific: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }))),
  },
  { additionalProperties: false },
);

/** `PUT /admin/models/M/labels/L`. */
export const LabelRequestSchema: TSchema = Type.Object(
  {
    version: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  },
  { additionalProperties: false },
);

/** What a model serves. */
export const ModelStateSchema: TSchema = Type.Object({
  model: Type.String(),
  policy: PolicyRequestSchema,
  labels: Type.Record(Type.String(), Type.Integer()),
  versions: Type.Array(
    Type.Object({
      version: Type.Integer(),
      state: Type.String(),
      error: Type.String(),
      candidates: Type.Integer(),
      updatesRefused: Type.Optional(Type.String({ description: 'Why the version takes no updates, where it serves.' })),
      journal: Type.Optional(
        Type.Object({
          sizeBytes: Type.Integer(),
          records: Type.Integer({ description: 'Updates in the journal.' }),
          misfits: Type.Integer({
            description: 'Records found when it was opened whose attributes did not fit and were left out.',
          }),
          misfit: Type.Optional(Type.String({ description: 'What was wrong with the first.' })),
          bytesCut: Type.Integer({ description: 'Bytes of an unfinished write that were cut off its end.' }),
          reason: Type.Optional(Type.String()),
          damage: Type.Optional(
            Type.Object({
              bytes: Type.Integer({ description: 'Bytes of acknowledged updates that are lost.' }),
              places: Type.Integer({ description: 'In how many places.' }),
              reason: Type.String({ description: 'What is wrong with the first.' }),
              recordsBehind: Type.Integer({ description: 'Updates behind the first damage, which were replayed.' }),
              copy: Type.Optional(Type.String({ description: 'Name of the copy of the damaged journal.' })),
            }),
          ),
        }),
      ),
    }),
  ),
});
