/** What a version is served with: its name, columns, subresources, selectable fields. */
import type { JsonSchema } from "../extensions/json-schema.ts";
import type { CustomResourceVersion } from "../kinds/customresourcedefinition.ts";
import { nameFault } from "../names.ts";
import { parseJsonPath } from "./json-path.ts";
import { own, shown } from "./record.ts";
import type { Add } from "./schema-faults.ts";

export function versionFaults(version: CustomResourceVersion, field: string, add: Add): void {
  const fault = nameFault("dns1035Label", version.name);
  if (fault !== undefined)
    add("FieldValueInvalid", `${field}.name`, `Invalid value: ${shown(version.name)}: ${fault}`);
  warningFaults(version, field, add);
  for (const [at, column] of (version.additionalPrinterColumns ?? []).entries())
    columnFaults(column, `${field}.additionalPrinterColumns[${at}]`, add);
  scaleFaults(version.subresources?.scale, `${field}.subresources.scale`, add);
  selectableFaults(version, `${field}.selectableFields`, add);
}

const warningMaxBytes = 256;

function warningFaults(
  { deprecated, deprecationWarning: warning }: CustomResourceVersion,
  field: string,
  add: Add,
): void {
  if (warning === undefined) return;
  const invalid = (why: string) =>
    add(
      "FieldValueInvalid",
      `${field}.deprecationWarning`,
      `Invalid value: ${shown(warning)}: ${why}`,
    );
  if (deprecated !== true) invalid("can only be set for deprecated versions");
  if (warning === "") invalid("must not be empty");
  if (Buffer.byteLength(warning) > warningMaxBytes)
    invalid(`must be <= ${warningMaxBytes} characters long`);
  if (/\p{Cc}/u.test(warning)) invalid("must only contain printable UTF-8 characters");
}

const columnTypes = ["boolean", "date", "integer", "number", "string"];
const columnFormats = [
  "int32",
  "int64",
  "float",
  "double",
  "byte",
  "date",
  "date-time",
  "password",
];

function columnFaults(
  {
    name,
    type,
    format,
    jsonPath,
  }: NonNullable<CustomResourceVersion["additionalPrinterColumns"]>[number],
  field: string,
  add: Add,
): void {
  if (name === "") add("FieldValueRequired", `${field}.name`, "Required value");
  const must = `must be one of ${columnTypes.join(",")}`;
  if (type === "") add("FieldValueRequired", `${field}.type`, `Required value: ${must}`);
  else if (!columnTypes.includes(type))
    add("FieldValueInvalid", `${field}.type`, `Invalid value: ${shown(type)}: ${must}`);
  if (format !== undefined && format !== "" && !columnFormats.includes(format))
    add(
      "FieldValueInvalid",
      `${field}.format`,
      `Invalid value: ${shown(format)}: must be one of ${columnFormats.join(",")}`,
    );
  if (jsonPath === "") {
    add("FieldValueRequired", `${field}.jsonPath`, "Required value");
    return;
  }
  const simple = jsonPath.startsWith(".")
    ? parseJsonPath(jsonPath)
    : "must be a simple json path starting with .";
  if (typeof simple === "string")
    add("FieldValueInvalid", `${field}.jsonPath`, `Invalid value: ${shown(jsonPath)}: ${simple}`);
}

const members = /^(\.[A-Za-z_][\w-]*)+$/;

function scaleFaults(
  scale: NonNullable<CustomResourceVersion["subresources"]>["scale"],
  field: string,
  add: Add,
): void {
  if (scale === undefined) return;
  const check = (
    name: string,
    path: string | undefined,
    roots: readonly string[],
    words: string,
  ) => {
    if (path === undefined) return;
    const invalid = (why: string) =>
      add("FieldValueInvalid", `${field}.${name}`, `Invalid value: ${shown(path)}: ${why}`);
    if (path === "") add("FieldValueRequired", `${field}.${name}`, "Required value");
    else if (!members.test(path)) invalid("must be a json path in the dot notation");
    else if (!roots.some((root) => path.startsWith(root)))
      invalid(`should be a json path under ${words}`);
  };
  check("specReplicasPath", scale.specReplicasPath, [".spec."], ".spec");
  check("statusReplicasPath", scale.statusReplicasPath, [".status."], ".status");
  if (scale.labelSelectorPath !== "")
    check(
      "labelSelectorPath",
      scale.labelSelectorPath,
      [".spec.", ".status."],
      "either .spec or .status",
    );
}

const selectableMax = 8;

function selectableFaults(
  { selectableFields = [], schema }: CustomResourceVersion,
  field: string,
  add: Add,
): void {
  const seen = new Set<string>();
  for (const [at, { jsonPath }] of selectableFields.entries()) {
    const place = `${field}[${at}].jsonPath`;
    const invalid = (why: string) =>
      add("FieldValueInvalid", place, `Invalid value: ${shown(jsonPath)}: ${why}`);
    if (jsonPath === "") add("FieldValueRequired", place, "Required value");
    else if (!members.test(jsonPath))
      invalid("is an invalid path: must be a simple json path starting with .");
    else if (jsonPath.startsWith(".metadata.")) invalid("must not point to fields in metadata");
    else if (!isScalar(schemaAt(schema?.openAPIV3Schema, jsonPath)))
      invalid(
        "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.",
      );
    if (seen.has(jsonPath))
      add("FieldValueDuplicate", place, `Duplicate value: ${shown(jsonPath)}`);
    seen.add(jsonPath);
  }
  if (seen.size > selectableMax)
    add(
      "FieldValueTooMany",
      field,
      `Too many: ${seen.size}: must have at most ${selectableMax} items`,
    );
}

function schemaAt(schema: JsonSchema | undefined, path: string): JsonSchema | undefined {
  const steps = path.slice(1).split(".");
  return steps.reduce<JsonSchema | undefined>((at, step) => own(at?.properties, step), schema);
}

const isScalar = (schema: JsonSchema | undefined) =>
  schema !== undefined && ["string", "boolean", "integer"].includes(schema.type ?? "");
