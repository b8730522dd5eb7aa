import { readFile } from "node:fs/promises";
import { PassThrough } from "node:stream";
import type Docker from "dockerode";
import { pack } from "tar-stream";

/** A small image for tests, of the machine's static busybox; made without any registry. */
export async function testImage(docker: Docker): Promise<string> {
  for (const image of ["berth/hello:v1"]) {
    const there = await docker
      .getImage(image)
      .inspect()
      .then(
        () => true,
        () => false,
      );
    if (there) return image;
  }
  const archive = pack();
  const busybox = await readFile("/bin/busybox"); // Debian's busybox-static.
  archive.entry({ name: "bin/busybox", mode: 0o755 }, busybox);
  for (const name of ["sh", "sleep", "cat", "rm", "touch", "test", "httpd", "wget", "echo"]) {
    archive.entry({ name: `bin/${name}`, type: "symlink", linkname: "busybox" });
  }
  archive.entry({ name: "tmp", type: "directory", mode: 0o777 });
  archive.finalize();
  const options = { repo: "berth/agent-test", tag: "v1" };
  await Array.fromAsync(await docker.importImage(archive.pipe(new PassThrough()), options));
  return "berth/agent-test:v1";
}
