/** A pod's volumes on the node: folders, files and memory, made before its containers start. */
import { chmod, chown, mkdir, open, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isKept, writeAtomically } from "./atomic-files.ts";
import { ConfigMissing, type PodFields, type ReadConfig, Unanswered } from "./environment.ts";
import type { Volume } from "./spec.ts";
import { filesOf } from "./volume-files.ts";

/** A volume that cannot be had: its pod waits, and an Event says why. */
export class VolumeFailed extends Error {
  override readonly name = "VolumeFailed";
}

/** One that is about to be bound to its claim: only that it lasts is worth an Event. */
export class VolumePending extends VolumeFailed {}

export const volumeFolder = (folder: string, name: string): string =>
  resolve(folder, "volumes", name);

/**
 * Makes each volume of the pod below `folder`. Where nobody says what files are made of, those that
 * are there from before will do.
 *
 * @throws {VolumeFailed}
 * @throws {Unanswered} when there are none
 */
export async function makeVolumes(
  folder: string,
  fields: PodFields,
  read: ReadConfig,
): Promise<void> {
  const { volumes, securityContext } = fields.work.spec;
  const group = securityContext?.fsGroup;
  for (const volume of volumes) {
    try {
      await makeVolume(volumeFolder(folder, volume.name), volume, group);
      await writeFiles(folder, volume, fields, read);
    } catch (error) {
      if (error instanceof Unanswered && (await isKept(volumeFolder(folder, volume.name))))
        continue;
      if (error instanceof VolumeFailed || error instanceof ConfigMissing)
        throw mountFailed(volume, error);
      throw error;
    }
  }
}

/** Files as their sources are now; a source that has gone leaves them as they were. */
export async function refreshFiles(
  folder: string,
  fields: PodFields,
  read: ReadConfig,
): Promise<void> {
  for (const volume of fields.work.spec.volumes) {
    try {
      await writeFiles(folder, volume, fields, read);
    } catch (error) {
      if (!(error instanceof ConfigMissing)) throw error; // What was mounted stays mounted.
    }
  }
}

export async function removeVolumes(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** Directories that volumes were made of: one name each, directly in `folder`. */
export async function removeDirectories(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const place = resolve(folder, name);
    if (dirname(place) !== resolve(folder)) throw new VolumeFailed(`${name} is no volume's name`);
    await rm(place, { recursive: true, force: true });
  }
}

async function writeFiles(
  folder: string,
  volume: Volume,
  fields: PodFields,
  read: ReadConfig,
): Promise<void> {
  const files = filesOf(volume, fields, read);
  if (files === undefined) return;
  const group = fields.work.spec.securityContext?.fsGroup;
  await writeAtomically(volumeFolder(folder, volume.name), files, group);
}

async function makeVolume(place: string, volume: Volume, group: number | undefined): Promise<void> {
  const { hostPath, emptyDir, configMap, secret, downwardAPI, projected } = volume;
  if (hostPath !== undefined) return checkHostPath(hostPath);
  if (emptyDir !== undefined) {
    if (emptyDir.medium === "Memory") return;
    await mkdir(place, { recursive: true });
    if (group !== undefined) await chown(place, 0, group);
    return chmod(place, group === undefined ? 0o777 : 0o2777);
  }
  if ((configMap ?? secret ?? downwardAPI ?? projected) === undefined)
    throw new VolumeFailed("this node cannot serve a volume of its type");
}

/** @see https://kubernetes.io/docs/concepts/storage/volumes/#hostpath-volume-types */
async function checkHostPath({ path, type }: NonNullable<Volume["hostPath"]>): Promise<void> {
  if (type === "") return;
  if (type === "DirectoryOrCreate") await mkdir(path, { recursive: true, mode: 0o755 });
  if (type === "FileOrCreate") await (await open(path, "a", 0o644)).close();
  const found = await stat(path).catch(() => undefined);
  const checks = {
    Directory: found?.isDirectory(),
    DirectoryOrCreate: found?.isDirectory(),
    File: found?.isFile(),
    FileOrCreate: found?.isFile(),
    Socket: found?.isSocket(),
    CharDevice: found?.isCharacterDevice(),
    BlockDevice: found?.isBlockDevice(),
  };
  if (checks[type] === true) return;
  throw new VolumeFailed(`hostPath type check failed: ${path} is not of type ${type}`);
}

/** As the kubelet tells it. */
export const mountFailed = ({ name }: Volume, cause: Error) =>
  new VolumeFailed(`MountVolume.SetUp failed for volume "${name}" : ${cause.message}`, { cause });
