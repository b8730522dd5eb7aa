/** All kinds, found by listing the folder `kinds/`: adding a kind is adding one file there. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { apiVersionOf, isKind, type Kind } from "./kind.ts";

const folder = join(import.meta.dirname, "kinds");

/** @throws {TypeError} when a file holds no kind, or two kinds share a name */
export async function kindsIn(path: string): Promise<readonly Kind[]> {
  const files = readdirSync(path)
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .toSorted();
  const found = await Promise.all(files.map((file) => kindIn(join(path, file))));
  const resources = found.map((kind) => `${kind.group}/${kind.plural}`);
  const twice = resources.find((resource, at) => resources.indexOf(resource) !== at);
  if (twice !== undefined) throw new TypeError(`two kinds are called ${twice}`);
  return found;
}

async function kindIn(path: string): Promise<Kind> {
  const exported = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>; // A module is one.
  const kind = Object.values(exported).find(isKind);
  if (kind === undefined) throw new TypeError(`${path} exports no kind`);
  return kind;
}

/** Every kind, in the order of their files' names. */
export const kinds: readonly Kind[] = await kindsIn(folder);

const byKind = new Map(kinds.map((kind) => [`${apiVersionOf(kind)}/${kind.kind}`, kind]));
const byResource = new Map(kinds.map((kind) => [`${apiVersionOf(kind)}/${kind.plural}`, kind]));

/** The kind of `apiVersion: apps/v1`, `kind: Deployment`. */
export const kindNamed = (apiVersion: string, kind: string): Kind | undefined =>
  byKind.get(`${apiVersion}/${kind}`);

/** The kind that a path such as `/apis/apps/v1/deployments` names. */
export const kindServing = (group: string, version: string, plural: string): Kind | undefined =>
  byResource.get(`${apiVersionOf({ group, version })}/${plural}`);
