/** Reads Go's declarations of Kubernetes' types, as far as facts of the API are in them. */

export type GoField = {
  /** Absent: embedded. */
  readonly json: string | undefined;
  readonly inline: boolean;
  readonly proto: number | undefined;
  readonly type: string;
  readonly optional: boolean;
  readonly mergeKey: string | undefined;
  readonly strategy: string | undefined;
  readonly markers: ReadonlyMap<string, readonly string[]>;
};
export type GoStruct = {
  readonly fields: readonly GoField[];
  readonly markers: GoField["markers"];
};
export type GoFile = {
  readonly structs: ReadonlyMap<string, GoStruct>;
  /** `type Phase string`, `type ResourceList map[ResourceName]resource.Quantity`. */
  readonly named: ReadonlyMap<string, string>;
  /** Constants of text, for markers that refer to one. */
  readonly constants: ReadonlyMap<string, string>;
  /** Packages by the names that they have in the file. */
  readonly imports: ReadonlyMap<string, string>;
};

export function readGo(source: string): GoFile {
  const structs = new Map<string, GoStruct>();
  const named = new Map<string, string>();
  const constants = new Map<string, string>();
  const imports = new Map<string, string>();
  let comments: string[] = [];
  let open:
    | { readonly name: string; readonly markers: GoField["markers"]; fields: GoField[] }
    | undefined;
  for (const line of source.split("\n")) {
    const comment = /^\s*\/\/\s?(.*)$/.exec(line);
    if (comment !== null) {
      comments.push(comment[1] ?? "");
      continue;
    }
    if (line.trim() === "") {
      // A marker may stand apart from what it marks, by one empty line.
      continue;
    }
    const markers = markersIn(comments);
    comments = [];
    if (open !== undefined) {
      if (line.startsWith("}")) {
        structs.set(open.name, { fields: open.fields, markers: open.markers });
        open = undefined;
        continue;
      }
      const field = fieldIn(line, markers);
      if (field !== undefined) open.fields.push(field);
      continue;
    }
    const struct = /^type (\w+) struct ?\{(\})?/.exec(line);
    if (struct !== null) {
      const [, name = "", closed] = struct;
      if (closed === undefined) open = { name, markers, fields: [] };
      else structs.set(name, { fields: [], markers });
      continue;
    }
    const other = /^type (\w+) =? ?([\w.[\]*]+)/.exec(line);
    if (other !== null) named.set(other[1] ?? "", other[2] ?? "");
    const constant = /^\s*(?:const )?(\w+)\s+(?:[\w.]+\s+)?= "([^"]*)"/.exec(line);
    if (constant !== null) constants.set(constant[1] ?? "", constant[2] ?? "");
    const imported = /^\s+(?:(\w+) )?"([\w./-]+)"$/.exec(line);
    if (imported !== null) {
      const path = imported[2] ?? "";
      imports.set(imported[1] ?? path.split("/").at(-1) ?? "", path);
    }
  }
  return { structs, named, constants, imports };
}

/** `+listType=map`, `+listMapKey=name`, `+optional`: values by name. */
function markersIn(comments: readonly string[]): GoField["markers"] {
  const markers = new Map<string, string[]>();
  for (const comment of comments) {
    const marker = /^\+([\w:]+)(?:=(.*))?$/.exec(comment.trim());
    if (marker === null) continue;
    const [, name = "", value = ""] = marker;
    markers.set(name, [...(markers.get(name) ?? []), value]);
  }
  return markers;
}

function fieldIn(line: string, markers: GoField["markers"]): GoField | undefined {
  const match = /^\t(?:(\w+)\s+)?(\S+)\s+`([^`]*)`/.exec(line);
  if (match === null) return undefined;
  const [, , type = "", tags = ""] = match;
  const tag = (name: string) => new RegExp(`\\b${name}:"([^"]*)"`).exec(tags)?.[1];
  const [json = "", ...options] = (tag("json") ?? "").split(",");
  const proto = /^\w+,(\d+)/.exec(tag("protobuf") ?? "")?.[1];
  return {
    json: json === "" ? undefined : json,
    inline: options.includes("inline"),
    proto: proto === undefined ? undefined : Number(proto),
    type,
    optional:
      !markers.has("required") &&
      (options.includes("omitempty") || options.includes("omitzero") || markers.has("optional")),
    mergeKey: tag("patchMergeKey"),
    strategy: tag("patchStrategy"),
    markers,
  };
}
