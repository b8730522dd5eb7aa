/**
 * `berth/compose-base`, on which docker-compose.yml builds where no registry can be reached:
 * `berth/base` and, of this machine, the programs for packet rules, nats-server and npm.
 */
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type Docker from "dockerode";
import { CommandFailed, run, which } from "../tools/run.ts";
import { ensureNatsServer } from "../tools/tools.ts";
import { baseImage, ensureBaseImage } from "./base.ts";
import { isCurrent, sourceLabel } from "./current.ts";

export const composeBaseImage = "berth/compose-base:latest";

const certificates = "/etc/ssl/certs/ca-certificates.crt";

/** Makes the image unless it is there, made of the same programs. */
export async function ensureComposeBaseImage(docker: Docker): Promise<void> {
  const base = await ensureBaseImage(docker);
  const programs: Program[] = [
    ...["nft", "iptables", "ip", "conntrack"].map((name) => ({ name, path: found(name) })),
    { name: "nats-server", path: await ensureNatsServer() },
  ];
  const npm = dirname(dirname(realpathSync(found("npm"))));
  const hash = createHash("sha256")
    .update(readFileSync(import.meta.filename))
    .update(base);
  for (const { path } of programs) hash.update(readFileSync(path));
  const source = hash.update(readFileSync(join(npm, "package.json"))).digest("hex");
  if (await isCurrent(docker, composeBaseImage, source)) return;

  const folder = mkdtempSync(join(tmpdir(), "berth-base-"));
  const container = (await run("docker", ["create", baseImage])).trim();
  try {
    await addPrograms(folder, programs);
    await addNpm(folder, npm);
    await run("docker", ["cp", `${folder}/.`, `${container}:/`]);
    const changes = [
      "ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/bin",
      `ENV NODE_EXTRA_CA_CERTS=${certificates}`,
      `LABEL ${sourceLabel}=${source}`,
    ].flatMap((change) => ["--change", change]);
    await run("docker", ["commit", ...changes, container, composeBaseImage]);
  } finally {
    await run("docker", ["rm", "-f", container]);
    rmSync(folder, { recursive: true, force: true });
  }
}

type Program = { readonly name: string; readonly path: string };

function found(program: string): string {
  const path = which(program);
  if (path === undefined) throw new Error(`${program} is missing on this machine`);
  return path;
}

/** Programs by the names that they are called by, whatever file that is here, and their libraries. */
async function addPrograms(root: string, programs: readonly Program[]): Promise<void> {
  const extensions = globSync("/usr/lib/*/xtables/*.so"); // Of iptables; they are loaded by name.
  const files = [...extensions, ...programs.map(({ path }) => path)];
  const listed = await run("ldd", files).catch((error: unknown) => {
    // It fails when one of them, such as nats-server, is linked with none.
    if (error instanceof CommandFailed) return error.stdout;
    throw error;
  });
  const libraries = new Set(listed.match(/\/\S+(?= \(0x)/g) ?? []);
  await run("cp", ["-L", "--parents", ...extensions, ...libraries, root]);
  await run("mkdir", ["-p", `${root}/usr/sbin`]);
  for (const { name, path } of programs) await run("cp", ["-L", path, `${root}/usr/sbin/${name}`]);
  // iptables-nft goes by the name that it is called by.
  await run("ln", ["-s", "iptables", `${root}/usr/sbin/iptables-save`]);
}

async function addNpm(root: string, npm: string): Promise<void> {
  await run("mkdir", ["-p", `${root}/usr/lib/node_modules`, `${root}/usr/bin`]);
  await run("cp", ["-rL", npm, `${root}/usr/lib/node_modules/npm`]);
  await run("ln", ["-s", "../lib/node_modules/npm/bin/npm-cli.js", `${root}/usr/bin/npm`]);
  await run("ln", ["-s", "/bin/busybox", `${root}/usr/bin/env`]);
  if (existsSync(certificates)) await run("cp", ["-L", "--parents", certificates, root]);
}
