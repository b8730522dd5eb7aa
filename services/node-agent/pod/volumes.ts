/** A pod's volumes as folders and files on the node. */
import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Mount } from "../runtime/runtime.ts";
import {
  ConfigMissing,
  fieldOf,
  type PodFields,
  type ReadConfig,
  resourceOf,
} from "./environment.ts";
import type { Container, Volume } from "./spec.ts";

type Files = ReadonlyMap<string, Uint8Array>;

/** Makes each volume of the pod below `folder`; what has files gets them as they are now. */
export async function writeVolumes(
  folder: string,
  fields: PodFields,
  read: ReadConfig,
): Promise<void> {
  for (const volume of fields.work.spec.volumes) {
    const place = volumeFolder(folder, volume.name);
    if (volume.hostPath !== undefined) {
      if (volume.hostPath.type === "DirectoryOrCreate")
        await mkdir(volume.hostPath.path, { recursive: true });
      continue;
    }
    await mkdir(place, { recursive: true });
    if (volume.emptyDir !== undefined) await chmod(place, 0o777);
    for (const [path, data] of filesOf(volume, fields, read)) await replaceFile(place, path, data);
  }
}

export async function removeVolumes(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

export function mountsOf(
  folder: string,
  container: Container,
  volumes: readonly Volume[],
): readonly Mount[] {
  return container.volumeMounts.flatMap(({ name, mountPath, subPath, readOnly }) => {
    const volume = volumes.find((one) => one.name === name);
    if (volume === undefined) return [];
    const source = volume.hostPath?.path ?? volumeFolder(folder, name);
    const written = volume.emptyDir === undefined && volume.hostPath === undefined;
    return [
      {
        source: subPath === undefined ? source : join(source, subPath),
        target: mountPath,
        readOnly: written || readOnly === true,
      },
    ];
  });
}

const volumeFolder = (folder: string, name: string) => resolve(folder, "volumes", name);

/** Whole or not at all: a reader never sees half a file. */
async function replaceFile(place: string, path: string, data: Uint8Array): Promise<void> {
  const target = resolve(place, path);
  if (!target.startsWith(`${place}/`))
    throw new ConfigMissing(`the path ${path} leaves its volume`);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(`${target}.new`, data);
  await rename(`${target}.new`, target);
}

function filesOf(volume: Volume, fields: PodFields, read: ReadConfig): Files {
  const { configMap, secret, downwardAPI, projected } = volume;
  const files = new Map<string, Uint8Array>();
  const add = (more: Files) => more.forEach((data, path) => files.set(path, data));
  if (configMap !== undefined) add(keyFiles("ConfigMap", configMap, read));
  if (secret !== undefined) add(keyFiles("Secret", { ...secret, name: secret.secretName }, read));
  if (downwardAPI !== undefined) add(downwardFiles(downwardAPI.items, fields));
  for (const source of projected?.sources ?? []) {
    if (source.configMap !== undefined) add(keyFiles("ConfigMap", source.configMap, read));
    if (source.secret !== undefined) add(keyFiles("Secret", source.secret, read));
    if (source.downwardAPI !== undefined) add(downwardFiles(source.downwardAPI.items, fields));
  }
  return files;
}

type Source = {
  readonly name: string;
  readonly items?: readonly { readonly key: string; readonly path: string }[] | undefined;
  readonly optional?: boolean | undefined;
};

function keyFiles(
  kind: "ConfigMap" | "Secret",
  { name, items, optional }: Source,
  read: ReadConfig,
): Files {
  const values = read(kind, name);
  if (values === undefined) {
    if (optional === true) return new Map();
    throw new ConfigMissing(`${kind.toLowerCase()} "${name}" not found`);
  }
  if (items === undefined) return new Map(Object.entries(values));
  return new Map(
    items.flatMap(({ key, path }) => {
      const value = values[key];
      if (value !== undefined) return [[path, value] as const];
      if (optional === true) return [];
      throw new ConfigMissing(`couldn't find key ${key} in ${kind} ${name}`);
    }),
  );
}

type DownwardItems = NonNullable<Volume["downwardAPI"]>["items"];

const downwardFiles = (items: DownwardItems, fields: PodFields): Files =>
  new Map(
    items.map(({ path, fieldRef, resourceFieldRef }) => {
      const text =
        (fieldRef && fieldOf(fieldRef.fieldPath, fields)) ??
        (resourceFieldRef && resourceOf(resourceFieldRef, undefined, fields)) ??
        "";
      return [path, new TextEncoder().encode(text)] as const;
    }),
  );
