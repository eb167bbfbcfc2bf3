/**
 * The plain JSON API as JSON Schema. Requests are checked against it, and /openapi.json shows it. messages.ts has the
 * same messages as types. scripts/build.mjs replaces the compiled file by the plain JSON.
 */
import { type TSchema, Type } from 'typebox';

const Identifier: TSchema = Type.Union([Type.String(), Type.Integer()]);
const Attribute: TSchema = Type.Union([
  ...[Type.String(), Type.Number(), Type.Boolean(), Type.Null()],
  Type.Array(Type.Union([Type.String(), Type.Number()]), { description: 'A list of values, such as genres.' }),
]);

/** `POST /v1/shortlist`. */
export const ShortlistRequestSchema: TSchema = Type.Object(
  {
    model: Type.Optional(
      Type.String({ description: 'Name of the model; may be left out if the server has only one.' }),
    ),
    version: Type.Optional(Type.Integer({ minimum: 0, description: 'Version; default the newest.' })),
    label: Type.Optional(Type.String({ description: 'Label of a version, instead of its number.' })),
    query: Type.Optional(Type.Unknown({ description: 'Raw features: the value, or an object of values by name.' })),
    embedding: Type.Optional(Type.Array(Type.Number(), { description: 'A query embedding, instead of `query`.' })),
    history: Type.Optional(
      Type.Array(Identifier, {
        minItems: 1,
        maxItems: 10_000,
        description:
          'Items that the user chose, the latest last. They are used if the model does not know the user of `query`, or ' +
          'if there is no `query`.',
      }),
    ),
    k: Type.Optional(Type.Integer({ minimum: 1 })),
    exclude: Type.Optional(Type.Array(Identifier, { description: 'Identifiers that may not be returned.' })),
    excludeSeen: Type.Optional(
      Type.Boolean({
        description: 'Whether to leave out items that the user has seen; default: the bundle’s setting.',
      }),
    ),
    user: Type.Optional(
      Type.Union([Type.String(), Type.Integer()], {
        description:
          'The user whose seen items are left out; default: the user that the query names. Alone, without a query, it asks ' +
          'a model that reads histories (`seenAsHistory: always`) for the user’s next items.',
      }),
    ),
    include: Type.Optional(Type.Array(Identifier, { description: 'Only these identifiers may be returned.' })),
    filter: Type.Optional(
      Type.Unknown({
        description:
          'equals, in, range, and, or, not over attributes of candidates; a list matches if one of its values does.',
      }),
    ),
    perValue: Type.Optional(
      Type.Record(Type.String(), Type.Integer({ minimum: 1 }), {
        description: 'Most results with the same value, by attribute; each value of a list counts.',
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
    scoreThreshold: Type.Optional(Type.Number({ description: 'Lowest score of a result that is not pinned.' })),
    pin: Type.Optional(
      Type.Array(Identifier, { description: 'Candidates that come first, in this order, whatever their score.' }),
    ),
    block: Type.Optional(Type.Array(Identifier, { description: 'Candidates that are never returned.' })),
    attributes: Type.Optional(
      Type.Array(Type.String(), { description: 'The attributes that results show; default all.' }),
    ),
    leavesToSearch: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Leaves to search; an exact index ignores it, and says so.' }),
    ),
    reorder: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Candidates to reorder; an exact index ignores it, and says so.' }),
    ),
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
        description: 'Candidates to which results are similar; they are left out of the results.',
      }),
    ),
    embedding: Type.Optional(Type.Array(Type.Number(), { description: 'A candidate vector, instead of `ids`.' })),
  },
  { additionalProperties: false },
);

/** The response to `POST /v1/shortlist` and `POST /v1/similar`. */
export const ShortlistResponseSchema: TSchema = Type.Object({
  model: Type.String(),
  version: Type.Integer(),
  results: Type.Array(Type.Object({ id: Identifier, score: Type.Number() }, { additionalProperties: true })),
  ignored: Type.Optional(
    Type.Array(Type.String(), {
      description:
        'Settings of the request that had no effect, as leavesToSearch and reorder have none on an exact index.',
    }),
  ),
  unknown: Type.Optional(
    Type.Array(Type.String(), {
      description:
        'Features of the query whose value is not in the vocabulary: the results are those that any unknown value gets.',
    }),
  ),
  history: Type.Optional(
    Type.Object(
      {
        isUsed: Type.Boolean({ description: 'Whether the results are based on the history.' }),
        items: Type.Integer({ description: 'Number of its items that the model knows.' }),
        unknown: Type.Array(Identifier, { description: 'Items that the model does not know; they are ignored.' }),
      },
      {
        description:
          'The use of the history, which is the request’s or consists of the items that an unknown user has seen.',
      },
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
            Type.Array(Type.Number(), { description: 'The candidate’s vector; give either this or `features`.' }),
          ),
          features: Type.Optional(
            Type.Unknown({
              description:
                'Raw features, from which the bundle’s candidate tower computes the vector: the value, or values by name.',
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
            description: 'The item that the user has seen: the identifier of a candidate, which need not exist (yet).',
          }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 10_000 },
    ),
  },
  { additionalProperties: false },
);

/** The response to updates. */
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

/** The body of any error response. */
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

/** `POST /admin/models/M/compact` and `…/rebalance`: nothing, or an object without fields. */
export const NoFieldsSchema: TSchema = Type.Unsafe({
  type: ['object', 'null'],
  properties: {},
  additionalProperties: false,
});

/** The versions, labels and policy of a model. */
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
      updatesRefused: Type.Optional(
        Type.String({ description: 'The reason why the version accepts no updates, if it serves.' }),
      ),
      journal: Type.Optional(
        Type.Object({
          sizeBytes: Type.Integer(),
          records: Type.Integer({ description: 'Updates in the journal.' }),
          misfits: Type.Integer({
            description:
              'Number of records whose attributes did not fit and were left out when the journal was opened.',
          }),
          misfit: Type.Optional(Type.String({ description: 'The error in the first of them.' })),
          bytesCut: Type.Integer({ description: 'Bytes of an unfinished write that were cut off its end.' }),
          reason: Type.Optional(Type.String()),
          damage: Type.Optional(
            Type.Object({
              bytes: Type.Integer({ description: 'Bytes of acknowledged updates that are lost.' }),
              places: Type.Integer({ description: 'Number of places with lost bytes.' }),
              reason: Type.String({ description: 'The damage in the first place.' }),
              recordsBehind: Type.Integer({ description: 'Updates after the first damage, which were replayed.' }),
              copy: Type.Optional(Type.String({ description: 'Name of the copy of the damaged journal.' })),
            }),
          ),
        }),
      ),
    }),
  ),
});
