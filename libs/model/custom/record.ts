/** JSON of users, looked at with care: a key may be `__proto__` or `constructor`. */
export type JsonRecord = Readonly<Record<string, unknown>>;

export const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A member that the object has itself. */
export const own = <T>(
  object: Readonly<Record<string, T>> | undefined,
  name: string,
): T | undefined =>
  object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined;

/** As a message shows a value: texts in quotes, the rest as JSON. */
export const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "null";
  return text.length > shownMaxChars ? `${text.slice(0, shownMaxChars)}…` : text;
};
const shownMaxChars = 300;
