/** What a client can read, from its `Accept` header. */

/** How an object or a list is shown; what is undefined is the object itself. */
export type View = "Table" | "PartialObjectMetadata" | undefined;
export type Language = "json" | "yaml" | "protobuf";
export type Format = {
  readonly language: Language;
  readonly view: View;
  /** The `as=` that was agreed, for the reply's media type; such as aggregated discovery's. */
  readonly as: string | undefined;
  readonly version: string | undefined;
};

export type Offer = {
  /** Transformations on offer, as `<kind>.<version>`, such as `Table.v1`. */
  readonly as: readonly string[];
  /** Whether what is shown has a form in protobuf; its metadata always has. */
  readonly protobuf: boolean;
};

type Media = { readonly type: string; readonly parameters: ReadonlyMap<string, string> };

const plain: Format = { language: "json", view: undefined, as: undefined, version: undefined };

/**
 * The first of the client's media types that this gateway can answer in: by their `q`, then in the
 * client's order, those with a `*` last.
 *
 * @returns undefined when there is none: 406
 */
export function negotiate(header: string | undefined, { as, protobuf }: Offer): Format | undefined {
  if (header === undefined || header.trim() === "") return plain;
  const asked = header.split(",", mediaMax).map(media);
  for (const { type, parameters } of asked.toSorted(inOrder)) {
    const language = languages.get(type);
    if (language === undefined || (parameters.get("stream") ?? "watch") !== "watch") continue;
    const wanted = parameters.get("as");
    const version = parameters.get("v");
    if (wanted === undefined) {
      if (language === "protobuf" && !protobuf) continue;
      return { ...plain, language };
    }
    // Tables are JSON, as in Kubernetes.
    if (language === "protobuf" && wanted === "Table") continue;
    if (as.includes(`${wanted}.${version}`)) {
      return { language, view: viewOf(wanted), as: wanted, version };
    }
  }
  return undefined;
}

/** The first of the client's media types that is on offer; a `*` is the first offer. */
export function negotiateType(
  header: string | undefined,
  offers: readonly string[],
): string | undefined {
  if (header === undefined || header.trim() === "") return offers[0];
  const asked = header.split(",", mediaMax).map(media).toSorted(inOrder);
  for (const { type } of asked) {
    const found = type.includes("*") ? offers[0] : offers.find((offer) => offer === type);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** So many of a header's media types are looked at. */
const mediaMax = 50;

function inOrder(a: Media, b: Media): number {
  return qualityOf(b) - qualityOf(a) || Number(a.type.includes("*")) - Number(b.type.includes("*"));
}

function qualityOf({ parameters }: Media): number {
  const quality = Number.parseFloat(parameters.get("q") ?? "1");
  return Number.isNaN(quality) ? 0 : quality;
}

export const mediaTypes = {
  json: "application/json",
  yaml: "application/yaml",
  protobuf: "application/vnd.kubernetes.protobuf",
} as const;

const languages: ReadonlyMap<string, Format["language"]> = new Map([
  [mediaTypes.json, "json"],
  [mediaTypes.yaml, "yaml"],
  [mediaTypes.protobuf, "protobuf"],
  ["application/*", "json"],
  ["*/*", "json"],
]);

function viewOf(wanted: string): View {
  if (wanted === "Table") return "Table";
  return wanted.startsWith("PartialObjectMetadata") ? "PartialObjectMetadata" : undefined;
}

/** A media type and its parameters, in lower case where case does not matter. */
export function media(text: string): Media {
  const [type = "", ...rest] = text.split(";");
  const parameters = rest.map((parameter): [string, string] => {
    const [key = "", value = ""] = parameter.split("=");
    return [key.trim().toLowerCase(), value.trim().replaceAll('"', "")];
  });
  return { type: type.trim().toLowerCase(), parameters: new Map(parameters) };
}
