import { mkdtemp, rm } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { openAuthority, serverIdentity } from "../../services/api/pki/authority.ts";
import type { HttpsPlace } from "../../test/https-client.ts";

/** The least that answers over HTTPS, for what a gateway is measured beside. */
export async function plainServer(answer: RequestListener): Promise<HttpsPlace & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "berth-bench-"));
  const ports = { clock: systemClock, random: systemRandom, log: createLog("bench", "silent") };
  const authority = await openAuthority(folder, ports);
  const { certificate, privateKey } = await serverIdentity(authority, ["127.0.0.1"], ports);
  const server = createServer({ cert: certificate, key: privateKey }, answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    server: `https://127.0.0.1:${port}`,
    authority: authority.certificate,
    token: "",
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
