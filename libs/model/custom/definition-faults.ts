/** Whether a CustomResourceDefinition makes sense: names, versions, schemas, what else it is served with. */
import type { Cause } from "../errors.ts";
import type {
  CustomResourceDefinitionSpec as Spec,
  CustomResourceDefinitionStatus,
} from "../kinds/customresourcedefinition.ts";
import type { Metadata } from "../metadata.ts";
import { nameFault } from "../names.ts";
import { conversionFaults } from "./conversion-faults.ts";
import { shown } from "./record.ts";
import { type Add, faultAdder, schemaFaults } from "./schema-faults.ts";
import { versionFaults } from "./version-faults.ts";

/** A definition as it is judged: what of it is written by users. */
type Definition = {
  readonly metadata: Metadata;
  readonly spec: Spec;
  readonly status?: CustomResourceDefinitionStatus | undefined;
};

export function definitionFaults({ metadata, spec }: Definition): readonly Cause[] {
  const faults: Cause[] = [];
  const add = faultAdder(faults);
  const wanted = `${spec.names.plural}.${spec.group}`;
  if (metadata.name !== wanted)
    add(
      "FieldValueInvalid",
      "metadata.name",
      `Invalid value: ${shown(metadata.name)}: must be spec.names.plural+"."+spec.group`,
    );
  groupFaults(spec.group, metadata.annotations, add);
  nameFaults(spec.names, add);
  if (spec.preserveUnknownFields === true)
    add(
      "FieldValueInvalid",
      "spec.preserveUnknownFields",
      "Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
    );
  setOfVersions(spec.versions, add);
  for (const [at, version] of spec.versions.entries()) {
    const field = `spec.versions[${at}]`;
    versionFaults(version, field, add);
    const schema = version.schema?.openAPIV3Schema;
    if (schema === undefined)
      add(
        "FieldValueRequired",
        `${field}.schema.openAPIV3Schema`,
        "Required value: schemas are required",
      );
    else
      for (const fault of schemaFaults(schema, `${field}.schema.openAPIV3Schema`))
        add(fault.reason, fault.field, fault.message);
  }
  conversionFaults(spec.conversion, add);
  return faults;
}

const immutable = "field is immutable";

/** What must stay: other kinds' objects would lie under the same keys. */
export function definitionUpdateFaults(before: Definition, after: Definition): readonly Cause[] {
  const faults: Cause[] = [];
  const add = faultAdder(faults);
  const fixed = [
    ["spec.group", before.spec.group, after.spec.group],
    ["spec.names.plural", before.spec.names.plural, after.spec.names.plural],
    ["spec.scope", before.spec.scope, after.spec.scope],
    ["spec.names.kind", before.spec.names.kind, after.spec.names.kind],
  ] as const;
  for (const [field, was, is] of fixed)
    if (was !== is) add("FieldValueInvalid", field, `Invalid value: ${shown(is)}: ${immutable}`);
  const names = new Set(after.spec.versions.map(({ name }) => name));
  for (const [at, name] of (before.status?.storedVersions ?? []).entries()) {
    if (names.has(name)) continue;
    add(
      "FieldValueInvalid",
      `status.storedVersions[${at}]`,
      `Invalid value: ${shown(name)}: missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
    );
  }
  return faults;
}

const approval = "api-approved.kubernetes.io";
/** Groups that belong to Kubernetes. */
const isProtected = (group: string) => /(^|\.)(k8s|kubernetes)\.io$/.test(group);

function groupFaults(
  group: string,
  annotations: Readonly<Record<string, string>> | undefined,
  add: Add,
): void {
  if (group === "") {
    add("FieldValueRequired", "spec.group", "Required value");
    return;
  }
  const fault = nameFault("dns1123Subdomain", group);
  if (fault !== undefined)
    add("FieldValueInvalid", "spec.group", `Invalid value: ${shown(group)}: ${fault}`);
  else if (!group.includes("."))
    add(
      "FieldValueInvalid",
      "spec.group",
      `Invalid value: ${shown(group)}: should be a domain with at least one dot`,
    );
  if (!isProtected(group)) return;
  const approved = annotations?.[approval];
  const field = `metadata.annotations[${approval}]`;
  if (approved === undefined || approved === "")
    add(
      "FieldValueRequired",
      field,
      `Required value: protected groups must have approval annotation "${approval}", see https://github.com/kubernetes/enhancements/pull/1111`,
    );
  else if (!approved.startsWith("unapproved") && !/^https?:\/\/\S+$/.test(approved))
    add(
      "FieldValueInvalid",
      field,
      `Invalid value: ${shown(approved)}: protected groups must have approval annotation "${approval}" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`,
    );
}

function nameFaults(names: Spec["names"], add: Add): void {
  const { plural, singular = "", kind, listKind = "", shortNames = [], categories = [] } = names;
  const label = (field: string, value: string, words = "") => {
    if (value === "") add("FieldValueRequired", `spec.names.${field}`, "Required value");
    const fault =
      value === ""
        ? undefined
        : nameFault("dns1035Label", words === "" ? value : value.toLowerCase());
    if (fault !== undefined)
      add(
        "FieldValueInvalid",
        `spec.names.${field}`,
        `Invalid value: ${shown(value)}: ${words}${fault}`,
      );
  };
  const mixed = "may have mixed case, but should otherwise match: ";
  label("plural", plural);
  label("singular", singular);
  label("kind", kind, mixed);
  label("listKind", listKind, mixed);
  for (const [at, name] of shortNames.entries()) label(`shortNames[${at}]`, name);
  for (const [at, name] of categories.entries()) label(`categories[${at}]`, name);
  if (kind !== "" && kind === listKind)
    add(
      "FieldValueInvalid",
      "spec.names.listKind",
      `Invalid value: ${shown(listKind)}: kind and listKind may not be the same`,
    );
}

function setOfVersions(versions: Spec["versions"], add: Add): void {
  const names = versions.map(({ name }) => name);
  const said = `Invalid value: ${shown(names)}`;
  if (new Set(names).size !== names.length)
    add("FieldValueInvalid", "spec.versions", `${said}: must contain unique version names`);
  if (versions.filter(({ storage }) => storage).length !== 1)
    add(
      "FieldValueInvalid",
      "spec.versions",
      `${said}: must have exactly one version marked as storage version`,
    );
}
