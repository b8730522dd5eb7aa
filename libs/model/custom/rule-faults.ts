/** Whether the rules that a schema carries can be judged by: they compile, and say what they refuse. */
import type { JsonSchema } from "../extensions/json-schema.ts";
import { shown } from "./record.ts";
import { type CompiledRule, rulesOf } from "./rules.ts";
import type { Add } from "./schema-faults.ts";

const reasons = [
  "FieldValueRequired",
  "FieldValueInvalid",
  "FieldValueForbidden",
  "FieldValueDuplicate",
];

export function validationFaults(schema: JsonSchema, field: string, add: Add): void {
  const names = (schema["x-kubernetes-validations"] ?? []).length;
  if (names === 0) return;
  for (const [at, rule] of rulesOf(schema).entries())
    judge(rule, `${field}.x-kubernetes-validations[${at}]`, add);
}

function judge(
  { rule, program, fault, messageFault }: CompiledRule,
  field: string,
  add: Add,
): void {
  const { message, messageExpression, reason, fieldPath } = rule;
  if (rule.rule.trim() === "") {
    add("FieldValueRequired", `${field}.rule`, "Required value: rule is not specified");
    return;
  }
  if (fault !== undefined)
    add("FieldValueInvalid", `${field}.rule`, `Invalid value: ${shown(rule)}: ${fault}`);
  if (messageFault !== undefined)
    add(
      "FieldValueInvalid",
      `${field}.messageExpression`,
      `Invalid value: ${shown(rule)}: ${messageFault}`,
    );
  wording(
    message,
    "message",
    { field, isLong: rule.rule.includes("\n"), has: messageExpression !== undefined },
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
  if (
    fieldPath !== undefined &&
    fieldPath !== "" &&
    !/^(\.[A-Za-z_][\w-]*|\['[^']+'\])+$/.test(fieldPath)
  )
    add(
      "FieldValueInvalid",
      `${field}.fieldPath`,
      `Invalid value: ${shown(fieldPath)}: fieldPath must be a valid path`,
    );
  if (rule.optionalOldSelf !== undefined && program !== undefined && !program.reads("oldSelf"))
    add(
      "FieldValueInvalid",
      `${field}.optionalOldSelf`,
      `Invalid value: ${rule.optionalOldSelf}: may not be set if oldSelf is not used in rule`,
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
