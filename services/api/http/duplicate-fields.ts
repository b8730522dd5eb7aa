/**
 * Fields that a text states twice: the last of them holds, and the client may be told. A value does not
 * show them, so they are remembered beside it.
 */

/** As many as a strict decoder reports. */
export const duplicatesMax = 100;

const known = new WeakMap<object, readonly string[]>();

/** What was remembered of a value. */
export const duplicatesOf = (value: unknown): readonly string[] =>
  (typeof value === "object" && value !== null ? known.get(value) : undefined) ?? [];

/** Remembers them; gives the value. */
export function withDuplicates<T>(value: T, duplicates: readonly string[]): T {
  if (duplicates.length > 0 && typeof value === "object" && value !== null) {
    known.set(value, duplicates.slice(0, duplicatesMax));
  }
  return value;
}

type Level =
  | { readonly type: "object"; readonly keys: Set<string>; at: string }
  | { readonly type: "list"; at: number };

/** Paths of the members that stand twice in their object, each once, of a text that is valid JSON. */
export function duplicatesInJson(text: string): readonly string[] {
  const found = new Set<string>();
  const levels: Level[] = [];
  const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;
  let isKey = false;
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    const [token] = match;
    const level = levels.at(-1);
    switch (token) {
      case "{":
        levels.push({ type: "object", keys: new Set(), at: "" });
        isKey = true;
        break;
      case "[":
        levels.push({ type: "list", at: 0 });
        break;
      case "}":
      case "]":
        levels.pop();
        isKey = false;
        break;
      case ",":
        if (level?.type === "list") level.at += 1;
        isKey = level?.type === "object";
        break;
      case ":":
        isKey = false;
        break;
      default:
        if (!isKey || level?.type !== "object") break;
        level.at = token.includes("\\") ? String(JSON.parse(token)) : token.slice(1, -1);
        if (level.keys.has(level.at) && found.size < duplicatesMax) found.add(pathOf(levels));
        level.keys.add(level.at);
    }
  }
  return [...found];
}

const pathOf = (levels: readonly Level[]): string =>
  levels
    .map((level) => (level.type === "list" ? `[${level.at}]` : `.${level.at}`))
    .join("")
    .replace(/^\./, "");
