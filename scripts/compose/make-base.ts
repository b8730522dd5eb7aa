/**
 * Makes `berth/compose-base`, on which docker-compose.yml builds where no registry can be reached:
 * `berth/base` and, of this machine, the programs for packet rules, nats-server and npm.
 */
import { existsSync, globSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import Docker from "dockerode";
import { ensureBaseImage } from "../images/base.ts";
import { printedProgress } from "../progress.ts";
import { ensureEngine } from "../tools/engine.ts";
import { run, which } from "../tools/run.ts";
import { ensureNatsServer } from "../tools/tools.ts";

const image = "berth/compose-base";
const progress = printedProgress();

await using _engine = await progress.step("Docker engine and nftables", ensureEngine);
await progress.step("image berth/base", () => ensureBaseImage(new Docker()));
await progress.step(`image ${image}`, makeBase);

async function makeBase(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "berth-base-"));
  const container = (await run("docker", ["create", "berth/base:latest"])).trim();
  try {
    for (const program of ["nft", "iptables", "ip", "conntrack"]) await addProgram(folder, program);
    await addProgram(folder, "nats-server", await ensureNatsServer());
    await addNpm(folder);
    await run("docker", ["cp", `${folder}/root/.`, `${container}:/`]);
    const changes = [
      "ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/bin",
      "ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt",
    ].flatMap((change) => ["--change", change]);
    await run("docker", ["commit", ...changes, container, image]);
  } finally {
    await run("docker", ["rm", "-f", container]);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function addProgram(folder: string, name: string, path = which(name)): Promise<void> {
  if (path === undefined) throw new Error(`${name} is missing on this machine`);
  const file = realpathSync(path);
  // A program of many names, such as iptables-nft, goes by the one that it is called by.
  await copy(folder, file, `/usr/sbin/${basename(file)}`);
  if (basename(file) !== name) await link(folder, basename(file), `/usr/sbin/${name}`);
  await addLibraries(folder, file);
  if (name !== "iptables") return;
  const save = which("iptables-save");
  if (save !== undefined) await link(folder, basename(file), "/usr/sbin/iptables-save");
  for (const extension of globSync("/usr/lib/*/xtables/*.so")) {
    await copy(folder, extension, extension);
    await addLibraries(folder, extension);
  }
}

async function addLibraries(folder: string, file: string): Promise<void> {
  const listed = await run("ldd", [file]).catch(() => ""); // nats-server is linked with none.
  for (const library of listed.match(/\/\S+(?= \(0x)/g) ?? []) await copy(folder, library, library);
}

async function addNpm(folder: string): Promise<void> {
  const npm = realpathSync(which("npm") ?? "/usr/lib/node_modules/npm/bin/npm-cli.js");
  const source = dirname(dirname(npm));
  const target = join(folder, "root/usr/lib/node_modules/npm");
  await run("mkdir", ["-p", dirname(target)]);
  await run("cp", ["-rL", source, target]);
  await link(folder, "../lib/node_modules/npm/bin/npm-cli.js", "/usr/bin/npm");
  await link(folder, "/bin/busybox", "/usr/bin/env");
  const certificates = "/etc/ssl/certs/ca-certificates.crt";
  if (existsSync(certificates)) await copy(folder, certificates, certificates);
}

async function copy(folder: string, from: string, to: string): Promise<void> {
  const target = join(folder, "root", to);
  if (existsSync(target)) return;
  await run("mkdir", ["-p", dirname(target)]);
  await run("cp", ["-L", from, target]);
}

async function link(folder: string, to: string, name: string): Promise<void> {
  const path = join(folder, "root", name);
  await run("mkdir", ["-p", dirname(path)]);
  await run("ln", ["-sfn", to, path]);
}
