/** Requests as no decent client sends them: any bytes, any headers, to a gateway that is authentic. */
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { parse } from "yaml";
import * as z from "zod";

export type Sent = {
  readonly body?: unknown;
  readonly bytes?: Uint8Array | string;
  readonly contentType?: string;
  readonly accept?: string;
  readonly token?: string;
  /** Further ones; of a list each value is a header of its own. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
};
export type Answer = {
  readonly code: number;
  readonly text: string;
  /** The text as a JSON object; `{}` when it is none. */
  readonly body: Record<string, unknown>;
  readonly warnings: readonly string[];
};
export type HttpsClient = {
  call(method: string, path: string, sent?: Sent): Promise<Answer>;
  /** Asks for another protocol, says that in it, and gives the first that is answered. */
  upgrade(path: string, protocol: string, said: string): Promise<string>;
};

export type HttpsPlace = {
  readonly server: string;
  readonly authority: string;
  readonly token: string;
};

/** @param authority the certificate that the server's is signed by, PEM */
export function httpsClient({ server, authority, token }: HttpsPlace): HttpsClient {
  const agent = new Agent({ keepAlive: true, ca: authority });
  const ask = (method: string, path: string, sent: Sent): Promise<Answer> => {
    const { body, contentType = "application/json", accept } = sent;
    const bytes = sent.bytes ?? (body === undefined ? undefined : JSON.stringify(body));
    const headers = {
      authorization: `Bearer ${sent.token ?? token}`,
      ...sent.headers,
      ...(accept !== undefined && { accept }),
      ...(bytes !== undefined && {
        "content-type": contentType,
        "content-length": Buffer.byteLength(bytes),
      }),
    };
    return new Promise((resolve, reject) => {
      const asked = request(new URL(path, server), { method, headers, agent }, (reply) => {
        const chunks: Buffer[] = [];
        reply.on("data", (chunk: Buffer) => chunks.push(chunk));
        reply.on("error", reject);
        reply.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const warnings = reply.rawHeaders.filter(
            (_, at, all) => at % 2 === 1 && all[at - 1]?.toLowerCase() === "warning",
          );
          resolve({ code: reply.statusCode ?? 0, text, body: objectIn(text), warnings });
        });
      });
      asked.on("error", reject);
      asked.end(bytes);
    });
  };
  const upgrade = (path: string, protocol: string, said: string): Promise<string> => {
    const headers = {
      authorization: `Bearer ${token}`,
      connection: "Upgrade",
      upgrade: protocol,
    };
    return new Promise((resolve, reject) => {
      const asked = request(new URL(path, server), { headers, ca: authority });
      asked.on("upgrade", (_reply, socket) => {
        socket.once("data", (heard: Buffer) => {
          resolve(heard.toString());
          socket.destroy();
        });
        socket.write(said);
      });
      asked.on("response", ({ statusCode }) => reject(new Error(`answered ${statusCode}`)));
      asked.on("error", reject);
      asked.end();
    });
  };
  return { call: (method, path, sent = {}) => ask(method, path, sent), upgrade };
}

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return { ...value };
  } catch {
    return {}; // A log, or a watch: many objects.
  }
  return {};
}

const kubeconfig = z.object({
  clusters: z.tuple([
    z.object({
      cluster: z.object({ server: z.string(), "certificate-authority-data": z.string() }),
    }),
  ]),
  users: z.tuple([z.object({ user: z.object({ token: z.string() }) })]),
});

/** As kubectl would connect. */
export async function clientOf(path: string): Promise<HttpsClient> {
  return httpsClient(placeIn(await readFile(path, "utf8")));
}

/** Where a kubeconfig leads, and as whom. */
export function placeIn(text: string): HttpsPlace {
  const { clusters, users } = kubeconfig.parse(parse(text));
  const [{ cluster }] = clusters;
  const authority = Buffer.from(cluster["certificate-authority-data"], "base64").toString();
  return { server: cluster.server, authority, token: users[0].user.token };
}
