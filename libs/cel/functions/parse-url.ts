/** An absolute URL, or an absolute path, as Go's url.ParseRequestURI takes it: nothing is normalized. */
export type ParsedUrl = {
  readonly text: string;
  readonly scheme: string;
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly path: string;
  readonly query: ReadonlyMap<string, readonly string[]>;
};

const parts = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/([^/?]*))?(\/[^?]*)?(?:\?(.*))?$/s;
const authority = /^(?:([^@]*)@)?(\[[0-9a-fA-F:.%]+\]|[^:[\]<>"\\^`{|} ]*)(?::(\d*))?$/;
// Control characters, and a percent sign that starts no escape.
// oxlint-disable-next-line no-control-regex
const wrong = /[\u0000-\u0020\u007f]|%(?![0-9a-fA-F]{2})/;

export function parseUrl(text: string): ParsedUrl | undefined {
  const match = text === "" || wrong.test(text) ? null : parts.exec(text);
  if (match === null) return undefined;
  const [, scheme = "", server, path = "", query = ""] = match;
  const host = authority.exec(server ?? "");
  if (host === null || (scheme === "" && path === "")) return undefined;
  if (scheme === "" && server !== undefined && !text.startsWith("//")) return undefined;
  const [, , name = "", port = ""] = host;
  return {
    text,
    scheme: scheme.toLowerCase(),
    host: server?.slice(server.lastIndexOf("@") + 1) ?? "",
    hostname: name.startsWith("[") ? name.slice(1, -1) : name,
    port,
    path: path.replaceAll(/[^!-~]|["#<>\\^`{|}]/gu, (character) => encodeURIComponent(character)),
    query: queryOf(query),
  };
}

function queryOf(text: string): ReadonlyMap<string, readonly string[]> {
  const query = new Map<string, string[]>();
  for (const [key, value] of new URLSearchParams(text)) {
    const values = query.get(key);
    if (values === undefined) query.set(key, [value]);
    else values.push(value);
  }
  return query;
}
