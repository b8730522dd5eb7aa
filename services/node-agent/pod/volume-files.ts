/** The files of a volume that is made from ConfigMaps, Secrets and the pod itself. Pure. */
import type { VolumeFile, VolumeFiles } from "./atomic-files.ts";
import {
  ConfigMissing,
  fieldOf,
  type PodFields,
  type ReadConfig,
  resourceOf,
  type TokenSource,
} from "./environment.ts";
import type { Volume } from "./spec.ts";

/** Undefined: the volume is not made of files. @throws {ConfigMissing} */
export function filesOf(
  volume: Volume,
  fields: PodFields,
  read: ReadConfig,
): VolumeFiles | undefined {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) return keyFiles("ConfigMap", configMap, configMap.defaultMode, read);
  if (secret !== undefined) {
    return keyFiles("Secret", { ...secret, name: secret.secretName }, secret.defaultMode, read);
  }
  if (downwardAPI !== undefined) {
    return downwardFiles(downwardAPI.items, downwardAPI.defaultMode, fields);
  }
  if (projected === undefined) return undefined;
  const { sources, defaultMode: mode } = projected;
  const parts = sources.flatMap((source): readonly VolumeFiles[] => [
    ...(source.configMap ? [keyFiles("ConfigMap", source.configMap, mode, read)] : []),
    ...(source.secret ? [keyFiles("Secret", source.secret, mode, read)] : []),
    ...(source.downwardAPI ? [downwardFiles(source.downwardAPI.items, mode, fields)] : []),
    ...(source.serviceAccountToken ? [tokenFile(source.serviceAccountToken, mode, fields)] : []),
  ]);
  return new Map(parts.flatMap((part) => [...part])); // Of one path, the last source has it.
}

type Source = {
  readonly name: string;
  readonly items?: readonly { key: string; path: string; mode?: number | undefined }[] | undefined;
  readonly optional?: boolean | undefined;
};

function keyFiles(
  kind: "ConfigMap" | "Secret",
  { name, items, optional = false }: Source,
  defaultMode: number,
  read: ReadConfig,
): VolumeFiles {
  const values = read(kind, name);
  if (values === undefined) {
    if (optional) return new Map();
    throw new ConfigMissing(`${kind.toLowerCase()} "${name}" not found`);
  }
  const chosen = items ?? Object.keys(values).map((key) => ({ key, path: key, mode: undefined }));
  return new Map(
    chosen.flatMap(({ key, path, mode = defaultMode }) => {
      const data = values[key];
      if (data !== undefined) return [[within(path), { data, mode }] as const];
      if (optional) return [];
      throw new ConfigMissing(`${kind.toLowerCase()} "${name}" has no key "${key}"`);
    }),
  );
}

function tokenFile(
  { path, ...asked }: TokenSource & { readonly path: string },
  mode: number,
  { readToken }: PodFields,
): VolumeFiles {
  const token = readToken(asked);
  if (token === undefined) throw new ConfigMissing("no token for its service account yet");
  return new Map([[within(path), { data: new TextEncoder().encode(token), mode }]]);
}

type DownwardItems = NonNullable<Volume["downwardAPI"]>["items"];

const downwardFiles = (items: DownwardItems, defaultMode: number, fields: PodFields): VolumeFiles =>
  new Map(
    items.map(({ path, fieldRef, resourceFieldRef, mode = defaultMode }) => {
      const text =
        (fieldRef && fieldOf(fieldRef.fieldPath, fields)) ??
        (resourceFieldRef && resourceOf(resourceFieldRef, undefined, fields)) ??
        "";
      return [within(path), { data: new TextEncoder().encode(text), mode }] as [string, VolumeFile];
    }),
  );

/** Admission refuses others; what it let through before must not leave the volume either. */
function within(path: string): string {
  const steps = path.split("/");
  if (!path.startsWith("/") && !steps.includes("..") && !path.startsWith("..")) return path;
  throw new ConfigMissing(`the path ${path} leaves its volume`);
}
