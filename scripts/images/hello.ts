import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type Docker from "dockerode";
import { pack } from "tar-stream";
import { root } from "../tools/paths.ts";
import { baseImage, ensureBaseImage } from "./base.ts";
import { isCurrent, sourceLabel } from "./current.ts";

const versions = ["v1", "v2"] as const;

/** Makes `berth/hello:v1` and `berth/hello:v2` unless they are there and made of the same source. */
export async function ensureHelloImages(docker: Docker): Promise<void> {
  const base = await ensureBaseImage(docker);
  const server = readFileSync(join(root, "examples/hello/server.mjs"));
  for (const version of versions) {
    const dockerfile = [
      `FROM ${baseImage}`,
      "COPY server.mjs /app/server.mjs",
      `ENV HELLO_VERSION=${version}`,
      "EXPOSE 8080",
      'CMD ["/usr/bin/node", "/app/server.mjs"]',
    ].join("\n");
    const source = createHash("sha256")
      .update(base)
      .update(dockerfile)
      .update(server)
      .digest("hex");
    const image = `berth/hello:${version}`;
    if (!(await isCurrent(docker, image, source))) {
      await build(docker, image, source, { Dockerfile: dockerfile, "server.mjs": server });
    }
  }
}

async function build(
  docker: Docker,
  image: string,
  source: string,
  files: Readonly<Record<string, string | Buffer>>,
): Promise<void> {
  const context = pack();
  for (const [name, content] of Object.entries(files)) context.entry({ name }, content);
  context.finalize();
  const answer = await docker.buildImage(context.pipe(new PassThrough()), {
    t: image,
    labels: { [sourceLabel]: source },
    forcerm: true,
  });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(answer, (error, lines: { error?: string }[] | null) => {
      const failure = error ?? lines?.find((line) => line.error !== undefined)?.error;
      if (failure === undefined || failure === null) return resolve();
      reject(new Error(`${image} could not be built`, { cause: failure }));
    });
  });
}
