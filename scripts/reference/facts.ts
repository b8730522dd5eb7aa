/** What the fixture says of Kubernetes' messages, from their Go declarations. */
import { type GoField, type GoFile, type GoStruct, readGo } from "./go-types.ts";

/**
 * Of each field: its protobuf numbers, its type, and what else is known, as one text:
 * `5 core.v1.Container[] required list=map keys=name merge=name strategy=merge`.
 */
export type Message = Readonly<Record<string, string>>;
export type Facts = {
  readonly source: string;
  /** `apps/v1/Deployment` to the title of its message. */
  readonly kinds: Readonly<Record<string, string>>;
  readonly messages: Readonly<Record<string, Message>>;
};

/** A package by its title (`core.v1`); undefined: not one whose types are messages. */
export type Packages = { readonly read: (title: string) => string };

/** In the packages, but never served. */
const internal = new Set(["PodStatusResult", "RangeAllocation"]);

const packages = [
  ["core.v1", ""],
  ["apps.v1", "apps"],
  ["autoscaling.v1", "autoscaling"],
  ["autoscaling.v2", "autoscaling"],
  ["batch.v1", "batch"],
  ["certificates.v1", "certificates.k8s.io"],
  ["coordination.v1", "coordination.k8s.io"],
  ["discovery.v1", "discovery.k8s.io"],
  ["events.v1", "events.k8s.io"],
  ["networking.v1", "networking.k8s.io"],
  ["node.v1", "node.k8s.io"],
  ["policy.v1", "policy"],
  ["rbac.v1", "rbac.authorization.k8s.io"],
  ["scheduling.v1", "scheduling.k8s.io"],
  ["storage.v1", "storage.k8s.io"],
  ["admissionregistration.v1", "admissionregistration.k8s.io"],
  ["apiextensions.v1", "apiextensions.k8s.io"],
] as const;

export function factsOf(source: string, { read }: Packages): Facts {
  const files = new Map<string, GoFile>();
  const fileOf = (title: string): GoFile => {
    const known = files.get(title) ?? readGo(read(title));
    files.set(title, known);
    return known;
  };
  const kinds: Record<string, string> = {};
  const messages = new Map<string, Message>();
  for (const [title, group] of packages) {
    for (const [name, struct] of fileOf(title).structs) {
      if (internal.has(name)) continue;
      if (
        !struct.fields.some(
          (field) => field.type === "metav1.ObjectMeta" && field.json === "metadata",
        )
      )
        continue;
      if (!struct.fields.some((field) => field.type === "metav1.TypeMeta")) continue;
      const version = title.split(".").at(-1);
      kinds[`${group === "" ? "" : `${group}/`}${version}/${name}`] = `${title}.${name}`;
      addMessage(`${title}.${name}`, { fileOf, messages });
    }
  }
  const sorted = [...messages].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { source, kinds, messages: Object.fromEntries(sorted) };
}

type Walk = {
  readonly fileOf: (title: string) => GoFile;
  readonly messages: Map<string, Message>;
};

function addMessage(title: string, walk: Walk): void {
  if (walk.messages.has(title)) return;
  walk.messages.set(title, {}); // It may hold itself.
  const [home, struct] = structNamed(title, walk);
  walk.messages.set(title, Object.fromEntries(fieldsOf(struct, { home, prefix: [] }, walk)));
}

function structNamed(title: string, { fileOf }: Walk): readonly [string, GoStruct] {
  const at = title.lastIndexOf(".");
  const [home, name] = [title.slice(0, at), title.slice(at + 1)];
  const struct = fileOf(home).structs.get(name);
  if (struct === undefined) throw new TypeError(`${title} is no struct`);
  return [home, struct];
}

type Place = { readonly home: string; readonly prefix: readonly number[] };

function fieldsOf(
  struct: GoStruct,
  place: Place,
  walk: Walk,
): readonly (readonly [string, string])[] {
  return struct.fields.flatMap((field) => {
    if (field.json === "-" || field.type.endsWith("TypeMeta")) return [];
    if (field.inline && field.proto !== undefined) {
      const [home, inlined] = structNamed(titleOf(field.type, place.home, walk), walk);
      return fieldsOf(inlined, { home, prefix: [...place.prefix, field.proto] }, walk);
    }
    if (field.json === undefined || field.proto === undefined) return [];
    return [[field.json, factOf(field, place, walk)] as const];
  });
}

function factOf(field: GoField, { home, prefix }: Place, walk: Walk): string {
  const { markers } = field;
  const type = typeOf(field.type, home, walk);
  const listType = markers.get("listType")?.[0];
  const keys = markers.get("listMapKey");
  const mapType =
    markers.get("mapType")?.[0] ?? markers.get("structType")?.[0] ?? structTypeOf(type, walk);
  const given = markers.get("default")?.[0];
  return [
    [...prefix, field.proto].join("."),
    type,
    field.optional ? "" : "required",
    listType === undefined ? "" : `list=${listType}`,
    keys === undefined ? "" : `keys=${keys.join(",")}`,
    mapType === undefined ? "" : `map=${mapType}`,
    field.mergeKey === undefined ? "" : `merge=${field.mergeKey}`,
    field.strategy === undefined ? "" : `strategy=${field.strategy}`,
    given === undefined ? "" : `default=${defaultOf(given, home, walk)}`,
  ]
    .filter((part) => part !== "")
    .join(" ");
}

/** A message that is replaced as a whole says so where it is declared. */
function structTypeOf(type: string, walk: Walk): string | undefined {
  if (!walk.messages.has(type)) return undefined;
  const [, struct] = structNamed(type, walk);
  return struct.markers.get("structType")?.[0] ?? struct.markers.get("mapType")?.[0];
}

/** A literal, or `ref(Constant)`. */
function defaultOf(given: string, home: string, { fileOf }: Walk): string {
  const name = /^ref\((?:.*\.)?(\w+)\)$/.exec(given)?.[1];
  return name === undefined ? given : JSON.stringify(fileOf(home).constants.get(name));
}

/** Types that are not told by their declarations. */
const special: Readonly<Record<string, string>> = {
  "meta.v1.Time": "time",
  "meta.v1.MicroTime": "micro-time",
  "meta.v1.Duration": "duration",
  "meta.v1.FieldsV1": "fields-v1",
  "resource.Quantity": "quantity",
  "intstr.IntOrString": "int-or-string",
  "runtime.RawExtension": "fields-v1",
  "types.UID": "string",
  "types.NodeName": "string",
  "apiextensions.v1.JSON": "json",
  "apiextensions.v1.JSONSchemaPropsOrArray":
    "apiextensions.v1.JSONSchemaProps|apiextensions.v1.JSONSchemaProps[]",
  "apiextensions.v1.JSONSchemaPropsOrBool": "apiextensions.v1.JSONSchemaProps|boolean",
  "apiextensions.v1.JSONSchemaPropsOrStringArray": "apiextensions.v1.JSONSchemaProps|string[]",
};
const scalars: Readonly<Record<string, string>> = {
  string: "string",
  bool: "boolean",
  int32: "int32",
  int64: "int64",
  float64: "double",
};

function typeOf(goType: string, home: string, walk: Walk): string {
  const type = goType.replace(/^\*/, "");
  if (type === "[]byte") return "byte";
  if (type.startsWith("[]")) return `${typeOf(type.slice(2), home, walk)}[]`;
  const map = /^map\[[\w.]+\](.+)$/.exec(type);
  if (map !== null) {
    const values = typeOf(map[1] ?? "", home, walk);
    return values.includes("|") ? `(${values}){}` : `${values}{}`;
  }
  const scalar = scalars[type];
  if (scalar !== undefined) return scalar;
  const title = titleOf(type, home, walk);
  const known = special[title];
  if (known !== undefined) {
    for (const message of known.matchAll(/\w+\.v1\.\w+/g)) addMessage(message[0], walk);
    return known;
  }
  const at = title.lastIndexOf(".");
  const named = walk.fileOf(title.slice(0, at)).named.get(title.slice(at + 1));
  if (named !== undefined) return typeOf(named, title.slice(0, at), walk);
  addMessage(title, walk);
  return title;
}

/** `metav1.LabelSelector` in a file to `meta.v1.LabelSelector`. */
function titleOf(type: string, home: string, { fileOf }: Walk): string {
  const [alias, name] = type.split(".");
  if (name === undefined) return `${home}.${type}`;
  const path = fileOf(home).imports.get(alias ?? "");
  if (path === undefined) throw new TypeError(`${home} does not import ${alias}`);
  const [version, group] = path.split("/").toReversed();
  return /^v\d/.test(version ?? "") ? `${group}.${version}.${name}` : `${version}.${name}`;
}
