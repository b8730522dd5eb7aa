/** Whether a schema's rules make sense of the types that it declares. */
import { checkCel, type Declared, declared } from "../../cel/cel.ts";
import type { CelDeclaration } from "../../cel/declarations.ts";
import type { JsonSchema, ValidationRule } from "../extensions/json-schema.ts";
import { celDeclaration, isEmbedded } from "./cel-declarations.ts";
import { shown } from "./record.ts";
import { type CompiledRule, rulesOf } from "./rules.ts";
import type { Add } from "./schema-faults.ts";

type Place = {
  readonly field: string;
  /** It has apiVersion, kind and metadata beside its declared fields. */
  readonly resource: boolean;
  /** The outermost part whose old items cannot be told from one another; below it there is no `oldSelf`. */
  readonly uncorrelatable: string | undefined;
};

/** Of a schema that is otherwise right. */
export function ruleTypeFaults(schema: JsonSchema, field: string, add: Add): void {
  visit(schema, { field, resource: true, uncorrelatable: undefined }, add);
}

function visit(schema: JsonSchema, place: Place, add: Add): void {
  const { properties = {}, items, additionalProperties } = schema;
  const { field } = place;
  const part = (inner: JsonSchema, name: string, isCorrelatable = true) =>
    visit(
      inner,
      {
        field: `${field}.${name}`,
        resource: isEmbedded(inner),
        uncorrelatable: place.uncorrelatable ?? (isCorrelatable ? undefined : field),
      },
      add,
    );
  if (typeof additionalProperties === "object") part(additionalProperties, "additionalProperties");
  const isGranular = schema["x-kubernetes-map-type"] !== "atomic";
  for (const [name, inner] of Object.entries(properties))
    part(inner, `properties[${name}]`, isGranular);
  if (items !== undefined && !Array.isArray(items))
    part(items, "items", schema["x-kubernetes-list-type"] === "map");
  judgeAll(schema, place, add);
}

function judgeAll(schema: JsonSchema, place: Place, add: Add): void {
  const rules = rulesOf(schema);
  if (rules.length === 0) return;
  const at = `${place.field}.x-kubernetes-validations`;
  const type = celDeclaration(schema, place.resource);
  if (type === undefined) {
    const why = "failed to retrieve type information for x-kubernetes-validations";
    add("InternalError", at, `Internal error: ${why}`);
    return;
  }
  const typesOf = variablesOver(type);
  for (const [nth, rule] of rules.entries())
    judge(rule, typesOf(rule.rule), { ...place, field: `${at}[${nth}]` }, add);
}

/** Types are declared once for all rules of a value. */
function variablesOver(type: CelDeclaration): (rule: ValidationRule) => Declared {
  let plain: Declared | undefined;
  let optional: Declared | undefined;
  return ({ optionalOldSelf }) =>
    optionalOldSelf === true
      ? (optional ??= declared({ self: type, oldSelf: { optional: type } }))
      : (plain ??= declared({ self: type, oldSelf: type }));
}

function judge(
  { rule, program, fault, messageFault }: CompiledRule,
  variables: Declared,
  { field, uncorrelatable }: Place,
  add: Add,
): void {
  const invalid = (part: string, why: string) =>
    add("FieldValueInvalid", `${field}.${part}`, `Invalid value: ${shown(rule)}: ${why}`);
  const typed = ruleFault(rule.rule, variables) ?? fault;
  if (typed !== undefined) return invalid("rule", typed);
  const message = messageTypeFault(rule.messageExpression, variables) ?? messageFault;
  if (message !== undefined) invalid("messageExpression", message);
  const usesOldSelf = program?.reads("oldSelf") === true;
  if (usesOldSelf && uncorrelatable !== undefined)
    add(
      "FieldValueInvalid",
      `${field}.rule`,
      `Invalid value: ${shown(rule.rule)}: oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`,
    );
  if (!usesOldSelf && rule.optionalOldSelf !== undefined)
    add(
      "FieldValueInvalid",
      `${field}.optionalOldSelf`,
      `Invalid value: ${rule.optionalOldSelf}: may not be set if oldSelf is not used in rule`,
    );
}

function ruleFault(rule: string, variables: Declared): string | undefined {
  const checked = checkCel(rule, variables);
  if (!checked.ok) return `compilation failed: ${checked.message}`;
  return checked.type === "bool" ? undefined : "cel expression must evaluate to a bool";
}

function messageTypeFault(expression = "", variables: Declared): string | undefined {
  if (expression === "") return undefined;
  const checked = checkCel(expression, variables);
  if (!checked.ok) return `messageExpression compilation failed: ${checked.message}`;
  return checked.type === "string" ? undefined : "messageExpression must evaluate to a string";
}
