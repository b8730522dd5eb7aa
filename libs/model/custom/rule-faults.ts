/** Whether the rules that a schema carries say what they refuse, and where. */
import type { JsonSchema, ValidationRule } from "../extensions/json-schema.ts";
import { isFieldPath } from "./field-path.ts";
import { shown } from "./record.ts";
import type { Add } from "./schema-faults.ts";

const reasons = [
  "FieldValueRequired",
  "FieldValueInvalid",
  "FieldValueForbidden",
  "FieldValueDuplicate",
];

/** What a schema's own rules say wrongly; whether they compile is for `rule-types.ts`. */
export function validationFaults(schema: JsonSchema, field: string, add: Add): void {
  for (const [at, rule] of (schema["x-kubernetes-validations"] ?? []).entries())
    judge(rule, schema, { field: `${field}.x-kubernetes-validations[${at}]`, add });
}

function judge(
  { rule, message, messageExpression, reason, fieldPath }: ValidationRule,
  schema: JsonSchema,
  { field, add }: { readonly field: string; readonly add: Add },
): void {
  if (rule.trim() === "") {
    add("FieldValueRequired", `${field}.rule`, "Required value: rule is not specified");
    return;
  }
  wording(
    message,
    "message",
    { field, isLong: rule.includes("\n"), has: messageExpression !== undefined },
    add,
  );
  if (messageExpression !== undefined && messageExpression.trim() === "")
    add(
      "FieldValueRequired",
      `${field}.messageExpression`,
      "Required value: messageExpression must be non-empty if specified",
    );
  if (reason !== undefined && !reasons.includes(reason))
    add(
      "FieldValueNotSupported",
      `${field}.reason`,
      `Unsupported value: ${shown(reason)}: supported values: ${reasons.toSorted().map(shown).join(", ")}`,
    );
  wording(fieldPath, "fieldPath", { field, isLong: false, has: true }, add);
  if (fieldPath !== undefined && fieldPath !== "" && !isFieldPath(fieldPath, schema))
    add(
      "FieldValueInvalid",
      `${field}.fieldPath`,
      `Invalid value: ${shown(fieldPath)}: must be a valid path`,
    );
}

function wording(
  text: string | undefined,
  name: string,
  {
    field,
    isLong,
    has,
  }: { readonly field: string; readonly isLong: boolean; readonly has: boolean },
  add: Add,
): void {
  const at = `${field}.${name}`;
  if (text === undefined) {
    if (isLong && !has)
      add(
        "FieldValueRequired",
        at,
        "Required value: message must be specified if rule contains line breaks",
      );
    return;
  }
  if (text.trim() === "")
    add("FieldValueInvalid", at, `Invalid value: ${shown(text)}: must be non-empty if specified`);
  else if (text.includes("\n"))
    add("FieldValueInvalid", at, `Invalid value: ${shown(text)}: must not contain line breaks`);
}
