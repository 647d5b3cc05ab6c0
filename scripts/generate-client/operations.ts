/**
 * What the OpenAPI document says of its operations, in the form the client needs: a row for each with its method, path
 * and answers, and one JSON Schema of what each takes and answers.
 */
import * as v from 'valibot';

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Operation {
  readonly id: string;
  readonly method: string;
  /** As the document writes it: `/v1/keys/{id}`. */
  readonly path: string;
  /** Statuses whose body is the answer; any other is a problem. */
  readonly answers: readonly number[];
  /** Of an object with what there is of `path`, `query`, `headers`, `body`, and `answer`. */
  readonly schema: JsonSchema;
}

const JSON_TYPE = 'application/json';
const NO_CONTENT = '204';
const schema = v.record(v.string(), v.unknown());
const content = v.record(v.string(), v.looseObject({ schema: v.optional(schema) }));
const parameter = v.looseObject({
  in: v.picklist(['path', 'query', 'header']),
  name: v.string(),
  required: v.boolean(),
  description: v.string(),
  schema,
});
const operation = v.looseObject({
  operationId: v.string(),
  parameters: v.optional(v.array(parameter), []),
  requestBody: v.optional(v.looseObject({ content })),
  responses: v.record(v.string(), v.looseObject({ content: v.optional(content) })),
});
const document = v.looseObject({
  paths: v.record(v.string(), v.record(v.string(), operation)),
  components: v.looseObject({ schemas: v.record(v.string(), schema) }),
});

type RawOperation = v.InferOutput<typeof operation>;

const PLACES = [
  ['path', 'path'],
  ['query', 'query'],
  ['header', 'headers'],
] as const;

export function readDocument(value: unknown): {
  readonly operations: readonly Operation[];
  readonly schemas: Readonly<Record<string, JsonSchema>>;
} {
  const { paths, components } = v.parse(document, value);
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, raw]) => describe(path, method.toUpperCase(), raw) ?? []),
  );
  return { operations, schemas: components.schemas };
}

/** null for one that answers something else than JSON, such as a page or bytes: that is not for this client. */
function describe(path: string, method: string, raw: RawOperation): Operation | null {
  const answers = Object.entries(raw.responses).filter(([status, { content }]) => isAnswer(status, content));
  const bodies = answers.map(([, { content }]) => content?.[JSON_TYPE]?.schema);
  if (answers.length === 0) return null;
  const parts: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const [place, name] of PLACES) {
    const parameters = raw.parameters.filter((candidate) => candidate.in === place);
    if (parameters.length === 0) continue;
    const object = objectOf(parameters);
    parts[name] = object;
    if (object.required.length > 0) required.push(name);
  }
  if (raw.requestBody !== undefined) {
    parts.body = union(Object.values(raw.requestBody.content).map((media) => media.schema));
    required.push('body');
  }
  parts.answer = union(bodies);
  required.push('answer');
  return {
    id: raw.operationId,
    method,
    path,
    answers: answers.map(([status]) => Number(status)),
    schema: objectSchema(parts, required),
  };
}

/** JSON, or what has no body by its status. Without a media type another answer is bytes or text. */
function isAnswer(status: string, content: RawOperation['responses'][string]['content']): boolean {
  return content === undefined ? status === NO_CONTENT : JSON_TYPE in content;
}

function objectOf(parameters: RawOperation['parameters']) {
  const properties = Object.fromEntries(
    parameters.map(({ name, description, schema }) => [name, { description, ...schema }]),
  );
  return objectSchema(
    properties,
    parameters.flatMap(({ name, required }) => (required ? [name] : [])),
  );
}

function objectSchema(properties: Readonly<Record<string, JsonSchema>>, required: readonly string[]) {
  return { type: 'object', properties, required, additionalProperties: false };
}

/** Each of the schemas that there are once. */
function union(schemas: readonly (JsonSchema | undefined)[]): JsonSchema {
  const given = schemas.filter((schema) => schema !== undefined);
  const [first, ...others] = new Map(given.map((schema) => [JSON.stringify(schema), schema])).values();
  if (first === undefined) return { tsType: 'undefined' };
  return others.length === 0 ? first : { anyOf: [first, ...others] };
}
