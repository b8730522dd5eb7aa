/** Types that expressions are checked against, beside CEL's own: objects with their fields. */
import type { Environment } from "@marcbachmann/cel-js";

/**
 * A type; the same object of this is the same type. By its name in cel-js's notation (`dyn`, `list<string>`, `kubernetes.Quantity`), or made of
 * others. Keys of maps are texts.
 */
export type CelDeclaration =
  | string
  | { readonly list: CelDeclaration }
  | { readonly map: CelDeclaration }
  | { readonly optional: CelDeclaration }
  /** An object; a field that is not named there is a mistake. */
  | { readonly fields: Readonly<Record<string, CelDeclaration>> };

/** How objects are called in what is told of them. */
export const objectPrefix = "Object_";

/** Adds variables of these types. Nothing is evaluated in `environment`: its objects have no values. */
export function declare(
  environment: Environment,
  variables: Readonly<Record<string, CelDeclaration>>,
): void {
  const objects = new Map<CelDeclaration, string>();
  const nameOf = (declaration: CelDeclaration): string => {
    if (typeof declaration === "string") return declaration;
    if ("list" in declaration) return `list<${nameOf(declaration.list)}>`;
    if ("map" in declaration) return `map<string, ${nameOf(declaration.map)}>`;
    if ("optional" in declaration) return `optional<${nameOf(declaration.optional)}>`;
    const known = objects.get(declaration);
    if (known !== undefined) return known;
    const fields = Object.fromEntries(
      Object.entries(declaration.fields).map(([name, field]) => [name, nameOf(field)]),
    );
    const name = `${objectPrefix}${objects.size + 1}`;
    objects.set(declaration, name);
    registerObject(environment, name, fields);
    return name;
  };
  for (const [name, declaration] of Object.entries(variables))
    environment.registerVariable(name, nameOf(declaration));
}

function registerObject(
  environment: Environment,
  name: string,
  fields: Readonly<Record<string, string>>,
): void {
  const ctor = class {
    readonly name = name;
  };
  environment.registerType(name, { ctor, fields });
  // Two of one type are equal or not; null may stand for any of them.
  for (const other of [name, "null"])
    environment.registerOperator(`${name} == ${other}`, () => false);
}
