/** What a client can read, from its `Accept` header. */

/** How an object or a list is shown; what is undefined is the object itself. */
export type View = "Table" | "PartialObjectMetadata" | undefined;
export type Format = {
  readonly language: "json" | "yaml";
  readonly view: View;
  /** The `as=` that was agreed, for the reply's media type; such as aggregated discovery's. */
  readonly as: string | undefined;
  readonly version: string | undefined;
};

type Media = { readonly type: string; readonly parameters: ReadonlyMap<string, string> };

const plain: Format = { language: "json", view: undefined, as: undefined, version: undefined };

/**
 * The first of the client's media types that this gateway can answer in, in the client's order.
 *
 * @param as transformations on offer, as `<kind>.<version>`, such as `Table.v1`
 * @returns undefined when there is none: 406
 */
export function negotiate(header: string | undefined, as: readonly string[]): Format | undefined {
  if (header === undefined || header.trim() === "") return plain;
  for (const { type, parameters } of header.split(",").map(media)) {
    const language = languages.get(type);
    if (language === undefined) continue;
    const wanted = parameters.get("as");
    const version = parameters.get("v");
    if (wanted === undefined) return { ...plain, language };
    if (as.includes(`${wanted}.${version}`)) {
      return { language, view: viewOf(wanted), as: wanted, version };
    }
  }
  return undefined;
}

const languages: ReadonlyMap<string, Format["language"]> = new Map([
  ["application/json", "json"],
  ["application/yaml", "yaml"],
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
