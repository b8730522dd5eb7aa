/**
 * Files that change together, as the kubelet's: they lie in a folder of their own that `..data` points
 * to, and a new version is one rename of that link. Who watches `..data` sees each version whole.
 */
import { createHash } from "node:crypto";
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";

export type VolumeFile = { readonly data: Uint8Array; readonly mode: number };
export type VolumeFiles = ReadonlyMap<string, VolumeFile>;

const dataLink = "..data";
const folderMode = 0o755;

/**
 * Makes `place` hold these files and no others; nothing is touched when it does already.
 *
 * @param files by path relative to `place`, never outside it
 * @param group who may read them beside their owner; undefined: root's
 */
export async function writeAtomically(
  place: string,
  files: VolumeFiles,
  group?: number,
): Promise<void> {
  const version = `..${digestOf(files, group)}`;
  await mkdir(place, { recursive: true });
  await chmod(place, folderMode);
  const before = await readlink(join(place, dataLink)).catch(() => undefined);
  if (before === version) return;
  const folder = join(place, version);
  await rm(folder, { recursive: true, force: true }); // Of a write that was broken off.
  await mkdir(folder);
  await chmod(folder, folderMode);
  for (const [path, file] of files) await writeOne(join(folder, path), folder, file, group);
  const fresh = join(place, "..data_new");
  await rm(fresh, { force: true });
  await symlink(version, fresh);
  await rename(fresh, join(place, dataLink));
  await linkEntries(place, new Set([...files.keys()].map((path) => path.split("/")[0] ?? path)));
  if (before !== undefined) await rm(join(place, before), { recursive: true, force: true });
}

/** Whether a version of the files is there. */
export const isKept = (place: string): Promise<boolean> =>
  readlink(join(place, dataLink)).then(
    () => true,
    () => false,
  );

async function writeOne(
  target: string,
  folder: string,
  { data, mode }: VolumeFile,
  group: number | undefined,
): Promise<void> {
  const parent = dirname(target);
  if (parent !== folder) {
    await mkdir(parent, { recursive: true });
    await chmod(parent, folderMode);
  }
  await writeFile(target, data);
  if (group !== undefined) await chown(target, 0, group);
  await chmod(target, group === undefined ? mode : mode | 0o440);
}

/** What a reader opens by name: links through `..data`, so that they follow it. */
async function linkEntries(place: string, names: ReadonlySet<string>): Promise<void> {
  const entries = (await readdir(place)).filter((name) => !name.startsWith(".."));
  const stale = entries.filter((name) => !names.has(name));
  await Promise.all(stale.map((name) => rm(join(place, name), { recursive: true, force: true })));
  const missing = [...names].filter((name) => !entries.includes(name));
  await Promise.all(missing.map((name) => symlink(join(dataLink, name), join(place, name))));
}

/** Names a version by what it holds: the same is never written twice. */
function digestOf(files: VolumeFiles, group: number | undefined): string {
  const hash = createHash("sha256").update(String(group));
  for (const [path, { data, mode }] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(JSON.stringify([path, mode, data.length])).update(data);
  }
  return hash.digest("hex").slice(0, 16);
}
