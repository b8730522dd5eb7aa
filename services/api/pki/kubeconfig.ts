import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { stringify } from "yaml";
import type { Random } from "../../../libs/telemetry/random.ts";
import type { Authority } from "./authority.ts";

/** Writes the kubeconfig of the cluster's administrator, mode 0600, whole or not at all. */
export async function writeKubeconfig(
  path: string,
  {
    server,
    authority,
    random,
  }: {
    readonly server: string;
    readonly authority: Authority;
    readonly random: Random;
  },
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const fresh = `${path}.${random.uuid()}`;
  await writeFile(fresh, kubeconfig(server, authority), { mode: 0o600, flush: true });
  await rename(fresh, path);
}

/** @param server the gateway's address, such as `https://127.0.0.1:6443` */
export function kubeconfig(server: string, { certificate, token }: Authority): string {
  const name = "berth";
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name,
        cluster: {
          server,
          "certificate-authority-data": Buffer.from(certificate).toString("base64"),
        },
      },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}
