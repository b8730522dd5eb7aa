/** The few calls of the Kubernetes API that benchmarks time, without kubectl's own time. */
import { Agent, request } from "node:https";
import type { IncomingMessage } from "node:http";
import * as z from "zod";
import type { TestCluster } from "../../test/cluster.ts";

export type KubeClient = Disposable & {
  /** A PATCH is a merge patch. @throws {Error} with the answer's body when it is no success */
  call(method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<unknown>;
  /** Resolves once the watch is open; its events come until it is disposed of. */
  watch(path: string): Promise<Disposable & { readonly events: AsyncIterable<unknown> }>;
};

const kubeconfig = z.object({
  clusters: z.tuple([
    z.object({
      cluster: z.object({ server: z.url(), "certificate-authority-data": z.base64() }),
    }),
  ]),
  users: z.tuple([z.object({ user: z.object({ token: z.string() }) })]),
});

export async function kubeClient({ kubectl }: Pick<TestCluster, "kubectl">): Promise<KubeClient> {
  const shown = await kubectl(["config", "view", "--raw", "-o", "json"]);
  const { clusters, users } = kubeconfig.parse(JSON.parse(shown));
  const { server, "certificate-authority-data": authority } = clusters[0].cluster;
  const agent = new Agent({ keepAlive: true, ca: Buffer.from(authority, "base64") });
  const headers = {
    authorization: `Bearer ${users[0].user.token}`,
  };

  const send = (method: string, path: string, body?: unknown) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
      const text = body === undefined ? "" : JSON.stringify(body);
      // Node says it by itself, but not of a DELETE.
      const length = { "content-length": Buffer.byteLength(text) };
      const all = { ...headers, "content-type": type, ...length };
      const sent = request(new URL(path, server), { method, agent, headers: all }, resolve);
      sent.on("error", reject);
      sent.end(text);
    });

  return {
    async call(method, path, body) {
      const answer = await send(method, path, body);
      const text = await textOf(answer);
      if ((answer.statusCode ?? 500) >= 300) throw new Error(`${method} ${path}: ${text}`);
      return JSON.parse(text);
    },
    async watch(path) {
      const answer = await send("GET", path);
      return { events: linesOf(answer), [Symbol.dispose]: () => void answer.destroy() };
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

async function textOf(answer: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(answer)).toString();
}

async function* linesOf(answer: AsyncIterable<Uint8Array>): AsyncIterable<unknown> {
  let rest = "";
  for await (const chunk of answer) {
    const lines = (rest + Buffer.from(chunk).toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
  }
}
