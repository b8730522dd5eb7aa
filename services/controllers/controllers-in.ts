import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Controller, ControllerOfMany } from "./controller.ts";

/**
 * Every controller that a file directly in `folder` exports, alone or in a list: adding a controller
 * is adding a file.
 *
 * @throws {TypeError} when two of them have one name
 */
export async function controllersIn(
  folder: string,
): Promise<readonly (Controller | ControllerOfMany)[]> {
  const files = (await readdir(folder)).filter(
    (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"),
  );
  const found: (Controller | ControllerOfMany)[] = [];
  for (const file of files.toSorted()) {
    const exports: unknown = await import(pathToFileURL(join(folder, file)).href);
    for (const value of Object.values(exports as Record<string, unknown>)) {
      // A module's namespace.
      found.push(...(Array.isArray(value) ? value : [value]).filter(isController));
    }
  }
  const names = found.map((one) => ("of" in one ? one.name : (one.name ?? one.kind.plural)));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new TypeError(`two controllers are named ${twice}`);
  return found;
}

const isController = (value: unknown): value is Controller | ControllerOfMany =>
  typeof value === "object" && value !== null && "controller" in value && value.controller === true;
