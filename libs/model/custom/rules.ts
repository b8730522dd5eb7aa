/**
 * `x-kubernetes-validations`: the rules in CEL that a custom resource's schema carries, over a value,
 * and over the one that it replaces.
 */
import { dequal } from "dequal";
import { CelError, type CelProgram, compileCel } from "../../cel/cel.ts";
import { type CelValue, optionalValue } from "../../cel/values.ts";
import type { Path } from "../conform.ts";
import { type Cause, fieldOf } from "../errors.ts";
import type { JsonSchema, ValidationRule } from "../extensions/json-schema.ts";
import { typedValue } from "./cel-values.ts";
import { oldItems } from "./list-faults.ts";
import { isRecord, own, shown } from "./record.ts";
import { memberSchema, type Old } from "./validate.ts";

/** Kubernetes' budget of all rules together, for one write. */
const budgetMax = 10_000_000;
const variables = { self: "dyn", oldSelf: "dyn" } as const;

export type CompiledRule = {
  readonly rule: ValidationRule;
  readonly program: CelProgram | undefined;
  /** Why there is no program. */
  readonly fault: string | undefined;
  readonly message: CelProgram | undefined;
  readonly messageFault: string | undefined;
};

const compiled = new WeakMap<JsonSchema, readonly CompiledRule[]>();

/** A schema's own rules, compiled once. */
export function rulesOf(schema: JsonSchema): readonly CompiledRule[] {
  const known = compiled.get(schema) ?? (schema["x-kubernetes-validations"] ?? []).map(compile);
  compiled.set(schema, known);
  return known;
}

function compile(rule: ValidationRule): CompiledRule {
  const main = compileAs(rule.rule, "bool", "cel expression must evaluate to a bool");
  const { messageExpression = "" } = rule;
  const message =
    messageExpression === ""
      ? undefined
      : compileAs(messageExpression, "string", "messageExpression must evaluate to a string");
  return {
    rule,
    program: main.program,
    fault: main.fault,
    message: message?.program,
    messageFault: message?.fault,
  };
}

function compileAs(expression: string, type: string, otherwise: string) {
  const result = compileCel(expression, variables);
  if (!result.ok) return { program: undefined, fault: `compilation failed: ${result.message}` };
  const fits = result.program.type === type || result.program.type.startsWith("dyn");
  return fits
    ? { program: result.program, fault: undefined }
    : { program: undefined, fault: otherwise };
}

/** The rules that `value` breaks, each at the field that it names. */
export function ruleFaults(schema: JsonSchema, value: unknown, old: Old): readonly Cause[] {
  const walk: Walk = { faults: [], left: budgetMax };
  visit(walk, schema, { value, old, path: [], resource: true });
  return walk.faults;
}

type Walk = { readonly faults: Cause[]; left: number };
type Place = {
  readonly value: unknown;
  readonly old: Old;
  readonly path: Path;
  readonly resource: boolean;
};

function visit(walk: Walk, schema: JsonSchema, place: Place): void {
  const { value, old, path } = place;
  if (value === null || value === undefined || walk.left < 0 || !hasRules(schema)) return;
  judge(walk, schema, place);
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined || Array.isArray(items)) return;
    const before = oldItems(schema, old?.value);
    const resource = items["x-kubernetes-embedded-resource"] === true;
    for (const [at, item] of value.entries())
      visit(walk, items, { value: item, old: before(item), path: [...path, at], resource });
    return;
  }
  if (!isRecord(value)) return;
  const was = isRecord(old?.value) ? old.value : undefined;
  for (const [name, member] of Object.entries(value)) {
    const inner = memberSchema(schema, name);
    if (inner === undefined) continue;
    const before = own(was, name);
    visit(walk, inner, {
      value: member,
      old: before === undefined ? undefined : { value: before },
      path: [...path, name],
      resource: inner["x-kubernetes-embedded-resource"] === true,
    });
  }
}

const known = new WeakMap<JsonSchema, boolean>();

/** Whether a schema or a part of it carries rules. */
function hasRules(schema: JsonSchema): boolean {
  const found = known.get(schema);
  if (found !== undefined) return found;
  const { properties = {}, items, additionalProperties } = schema;
  const parts = [
    ...Object.values(properties),
    ...(items === undefined || Array.isArray(items) ? [] : [items]),
    ...(typeof additionalProperties === "object" ? [additionalProperties] : []),
  ];
  const has = (schema["x-kubernetes-validations"] ?? []).length > 0 || parts.some(hasRules);
  known.set(schema, has);
  return has;
}

function judge(walk: Walk, schema: JsonSchema, { value, old, path, resource }: Place): void {
  const rules = rulesOf(schema);
  if (rules.length === 0) return;
  const typed = (one: unknown) => typedValue(schema, one, resource);
  const self = typed(value);
  const oldSelf = old === undefined ? undefined : typed(old.value);
  const same = old !== undefined && dequal(value, old.value);
  for (const rule of rules) {
    const { program, fault } = rule;
    const isTransition = program?.reads("oldSelf") === true;
    const optional = rule.rule.optionalOldSelf === true;
    if (isTransition && oldSelf === undefined && !optional) continue;
    const bindings = { self, oldSelf: optional ? optionalValue(oldSelf) : (oldSelf ?? null) };
    const message =
      program === undefined
        ? `rule compile error: ${fault}`
        : broken(walk, rule, program, bindings);
    // What was there before the rule was is left alone.
    if (message === undefined || (same && !isTransition)) continue;
    walk.faults.push(causeOf(schema, rule.rule, { message, path, value }));
    if (walk.left < 0) return;
  }
}

type Bindings = Readonly<Record<string, CelValue>>;

/** What a rule says against these values; undefined: nothing. */
function broken(
  walk: Walk,
  { rule, message }: CompiledRule,
  program: CelProgram,
  bindings: Bindings,
): string | undefined {
  const text = rule.rule.trim();
  try {
    const { value, cost } = program.run(bindings);
    walk.left -= cost;
    if (walk.left < 0) {
      return "validation failed due to running out of cost budget, no further validation rules will be run";
    }
    if (value === true) return undefined;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    if (error.costExceeded) {
      walk.left = -1;
      return `'${error.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${text}`;
    }
    if (error.message === "no such overload") {
      return `'${error.message}': call arguments did not match a supported operator, function or macro signature for rule: ${text}`;
    }
    return `${error.message} evaluating rule: ${text}`;
  }
  const told = message === undefined ? undefined : messageFrom(message, bindings);
  return told ?? (rule.message?.trim() || `failed rule: ${text}`);
}

/** A message that an expression makes; one that fails, is empty or has several lines counts for nothing. */
function messageFrom(program: CelProgram, bindings: Bindings): string | undefined {
  try {
    const { value } = program.run(bindings);
    const usable = typeof value === "string" && value.trim() !== "" && !value.includes("\n");
    return usable && value.length <= messageMaxChars ? value.trim() : undefined;
  } catch (error) {
    if (error instanceof CelError) return undefined;
    throw error;
  }
}
const messageMaxChars = 5_120;

const words: Readonly<Record<string, string>> = {
  FieldValueInvalid: "Invalid value",
  FieldValueForbidden: "Forbidden",
  FieldValueRequired: "Required value",
  FieldValueDuplicate: "Duplicate value",
};

function causeOf(
  schema: JsonSchema,
  { reason = "FieldValueInvalid", fieldPath = "" }: ValidationRule,
  {
    message,
    path,
    value,
  }: { readonly message: string; readonly path: Path; readonly value: unknown },
): Cause {
  const quotes = reason === "FieldValueInvalid" || reason === "FieldValueDuplicate";
  const isWhole = schema.type === "object" || schema.type === "array";
  const said = quotes && !isWhole ? `${shown(value)}: ${message}` : message;
  const field = `${fieldOf(path)}${fieldPath.replaceAll(/\['([^']*)'\]/g, "[$1]")}`;
  return {
    reason,
    field: field.replace(/^\./, ""),
    message: `${words[reason] ?? "Invalid value"}: ${said}`,
  };
}
