/**
 * Packages from Debian, past the system's own apt configuration: a private list of sources, private
 * package lists and cache, so that nothing of the system changes but what is installed on purpose,
 * and no other source that the machine has configured is asked.
 */
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, which } from "./run.ts";

/** A Debian suite, such as `sid`, or `own` for the one that this machine runs. */
export type Suite = "sid" | "own";

export interface Apt extends AsyncDisposable {
  /** Unpacks a package into a folder that lives as long as this object, without installing it. */
  unpack(name: string): Promise<string>;
  /** Installs packages, without those that are merely recommended. Needs root. */
  install(names: readonly string[]): Promise<void>;
}

/** Whether packages can be had from Debian here. */
export const isDebian = osRelease("ID") === "debian" && which("apt-get") !== undefined;

/** Reads the package lists of `suite`; what it made is gone when it is disposed of. */
export async function openApt(suite: Suite): Promise<Apt> {
  const home = mkdtempSync(join(tmpdir(), "berth-apt-"));
  for (const folder of ["lists/partial", "cache/archives/partial", "download"]) {
    mkdirSync(join(home, folder), { recursive: true });
  }
  writeFileSync(join(home, "sources.list"), sources(suite));
  const options = [
    `Dir::Etc::sourcelist=${home}/sources.list`,
    "Dir::Etc::sourceparts=/dev/null",
    `Dir::State::Lists=${home}/lists`,
    `Dir::Cache=${home}/cache`,
    "APT::Sandbox::User=",
    "Acquire::Languages=none",
    "Acquire::Retries=3",
  ].flatMap((option) => ["-o", option]);
  const dispose = () => rm(home, { recursive: true, force: true });

  try {
    await run("apt-get", [...options, "update"]);
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    async unpack(name) {
      const folder = mkdtempSync(join(home, "download/"));
      const wanted = suite === "own" ? name : `${name}/${suite}`;
      await run("apt-get", [...options, "download", wanted], { cwd: folder });
      const [file] = globSync("*.deb", { cwd: folder });
      if (file === undefined) throw new Error(`apt-get download ${wanted} left no package`);
      await run("dpkg", ["-x", file, "unpacked"], { cwd: folder });
      return join(folder, "unpacked");
    },
    async install(names) {
      const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
      await run("apt-get", [...options, "install", "-y", "--no-install-recommends", ...names], {
        env,
      });
    },
    [Symbol.asyncDispose]: dispose,
  };
}

function sources(suite: Suite): string {
  const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
  const signed = existsSync(keyring) ? `[signed-by=${keyring}] ` : "";
  const { main, security } = mirrors();
  const line = (mirror: string, name: string) => `deb ${signed}${mirror} ${name} main\n`;
  if (suite === "sid") return line(main, "sid");
  const own = osRelease("VERSION_CODENAME") ?? "stable";
  return line(main, own) + line(main, `${own}-updates`) + line(security, `${own}-security`);
}

/** The mirrors that this machine uses already, else Debian's own. */
function mirrors(): { readonly main: string; readonly security: string } {
  const files = ["/etc/apt/sources.list", ...globSync("/etc/apt/sources.list.d/*.{list,sources}")];
  const text = files.map((file) => (existsSync(file) ? readFileSync(file, "utf8") : "")).join("\n");
  const addresses = [...text.matchAll(/^(?:URIs:|deb\s+(?:\[[^\]]*\]\s*)?)\s*(https?:\S+)/gm)].map(
    ([, address = ""]) => address.replace(/\/$/, ""),
  );
  return {
    main: addresses.find((url) => url.endsWith("/debian")) ?? "http://deb.debian.org/debian",
    security:
      addresses.find((url) => url.endsWith("/debian-security")) ??
      "http://deb.debian.org/debian-security",
  };
}

function osRelease(field: string): string | undefined {
  if (!existsSync("/etc/os-release")) return undefined;
  const text = readFileSync("/etc/os-release", "utf8");
  return new RegExp(`^${field}="?([^"\n]*)"?$`, "m").exec(text)?.[1];
}
