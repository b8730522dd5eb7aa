/** `fieldPath` of a rule: `.a['b'].c`, relative to the value that the rule is about. */
import type { JsonSchema } from "../extensions/json-schema.ts";
import { own } from "./record.ts";

const step = /\.([^.[\]]+)|\['((?:[^'\\]|\\.)*)'\]/y;

/** Whether a path is one, and leads to a field that the schema declares. */
export function isFieldPath(path: string, schema: JsonSchema): boolean {
  let at: JsonSchema | undefined = schema;
  step.lastIndex = 0;
  for (let from = 0; from < path.length; from = step.lastIndex) {
    step.lastIndex = from;
    const [, plain, quoted = ""] = step.exec(path) ?? [];
    if (step.lastIndex === 0) return false;
    at = memberOf(at, plain ?? quoted.replaceAll(/\\(.)/g, "$1"));
    if (at === undefined) return false;
  }
  return true;
}

function memberOf(
  { properties, additionalProperties }: JsonSchema,
  name: string,
): JsonSchema | undefined {
  if (properties !== undefined) return own(properties, name);
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}
