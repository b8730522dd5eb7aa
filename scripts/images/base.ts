/**
 * `berth/base`: busybox and Node with the libraries they are linked with, imported as a tar. No
 * registry is asked. What runs in pods of the demo and of the tests is made of it.
 */
import { createHash } from "node:crypto";
import { createReadStream, readFileSync, realpathSync, statSync } from "node:fs";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import type Docker from "dockerode";
import { pack, type Pack } from "tar-stream";
import { run } from "../tools/run.ts";
import { ensureBusybox } from "../tools/tools.ts";
import { isCurrent, sourceLabel } from "./current.ts";

export const baseImage = "berth/base:latest";

/** Makes the image unless it is there, made of the same Node and busybox. Gives its source's hash. */
export async function ensureBaseImage(docker: Docker): Promise<string> {
  const busybox = await ensureBusybox();
  const source = createHash("sha256")
    .update(readFileSync(import.meta.filename))
    .update(process.version)
    .update(String(statSync(busybox).size))
    .digest("hex");
  if (await isCurrent(docker, baseImage, source)) return source;

  const tar = pack();
  const written = writeRoot(tar, busybox);
  const answer = await docker.importImage(tar.pipe(new PassThrough()), {
    repo: "berth/base",
    tag: "latest",
    changes: [`LABEL ${sourceLabel}=${source}`, "ENV PATH=/bin:/usr/bin", 'CMD ["/bin/sh"]'],
  });
  await Promise.all([written, pipeline(answer, drain)]);
  if (!(await isCurrent(docker, baseImage, source)))
    throw new Error("the engine made no base image");
  return source;
}

async function writeRoot(tar: Pack, busybox: string): Promise<void> {
  for (const name of ["bin", "etc", "usr", "usr/bin", "app"])
    tar.entry({ name, type: "directory" });
  tar.entry({ name: "tmp", type: "directory", mode: 0o1777 });
  tar.entry({ name: "etc/passwd" }, "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n");
  tar.entry({ name: "etc/group" }, "root:x:0:\nnogroup:x:65534:\n");
  tar.entry({ name: "etc/nsswitch.conf" }, "hosts: files dns\n");

  await file(tar, "bin/busybox", busybox);
  const applets = (await run(busybox, ["--list"])).trim().split("\n");
  for (const applet of applets.filter((name) => name !== "busybox")) {
    tar.entry({ name: `bin/${applet}`, type: "symlink", linkname: "busybox" });
  }
  await file(tar, "usr/bin/node", process.execPath);
  for (const library of await librariesOf([busybox, process.execPath])) {
    await file(tar, library.slice(1), realpathSync(library));
  }
  tar.finalize();
}

/** The libraries that the programs are linked with, the loader among them. */
async function librariesOf(programs: readonly string[]): Promise<Set<string>> {
  const listed = await Promise.all(programs.map((program) => run("ldd", [program])));
  return new Set(listed.flatMap((text) => text.match(/\/\S+(?= \(0x)/g) ?? []));
}

async function file(tar: Pack, name: string, path: string): Promise<void> {
  const header = { name, mode: 0o755, size: statSync(path).size };
  await pipeline(createReadStream(path), tar.entry(header));
}

/** Reads an answer of the engine to its end: it works only as long as somebody listens. */
async function drain(answer: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of answer);
}
