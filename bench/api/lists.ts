/**
 * How long does a LIST take? Of pods, as JSON, as a Table and as protobuf, beside the same bytes from a
 * plain HTTPS server; and of many objects in chunks, with the memory and the start that they cost.
 *
 *     node bench/api/lists.ts [--pods 5000] [--objects 100000] [--runs 5]
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { placeIn } from "../../test/https-client.ts";
import { report, type Result } from "../report.ts";
import { bareClient } from "./bare-client.ts";
import { type BenchGateway, benchGateway, benchPod, each, must, timed } from "./gateway.ts";
import { plainServer } from "./plain-server.ts";

type Params = { readonly pods: number; readonly objects: number; readonly runs: number };

const pods = "/api/v1/namespaces/bench/pods";
const configMaps = "/api/v1/namespaces/bench/configmaps";
const languages = {
  json: "application/json",
  table: "application/json;as=Table;v=v1;g=meta.k8s.io",
  protobuf: "application/vnd.kubernetes.protobuf",
} as const;

export async function benchLists(params: Params): Promise<readonly Result[]> {
  await using gateway = await benchGateway();
  await each(params.pods, 64, async (nth) => {
    await must(gateway.client.call("POST", pods, { body: benchPod(`pod-${nth}`) }));
  });
  const listed: Result[] = [];
  for (const [language, accept] of Object.entries(languages)) {
    listed.push(await benchLanguage(gateway, { ...params, language, accept }));
  }
  return [...listed, ...(await benchMany(gateway, params))];
}

async function benchLanguage(
  { client, kubeconfig }: BenchGateway,
  {
    language,
    accept,
    runs,
    pods: count,
  }: Params & { readonly language: string; readonly accept: string },
): Promise<Result> {
  const { text } = await must(client.call("GET", pods, { accept }));
  const bytes = Buffer.from(text);
  await using plain = await plainServer((_request, response) => {
    response.writeHead(200, { "content-length": bytes.byteLength });
    response.end(bytes);
  });
  using ours = await bareClient(placeIn(await readFile(kubeconfig, "utf8")));
  using theirs = await bareClient(plain);
  const [measured, baseline]: [number[], number[]] = [[], []];
  for (let run = -1; run < runs; run += 1) {
    const taken = await timed(() => ours.ask("GET", pods, { accept }));
    const bareTaken = await timed(() => theirs.ask("GET", "/"));
    if (run < 0) continue;
    measured.push(taken);
    baseline.push(bareTaken);
  }
  return {
    bench: `api/list-${language}`,
    params: { pods: count },
    unit: "ms",
    measured,
    baseline: { name: "the same bytes from a plain HTTPS server", measured: baseline },
    parts: { bytes: Buffer.byteLength(text) },
  };
}

/** Many small objects: LIST in chunks, the gateway's memory with and without them, and its start. */
async function benchMany(
  gateway: BenchGateway,
  { objects, runs }: Params,
): Promise<readonly Result[]> {
  const { client } = gateway;
  const emptyMs = await gateway.restart();
  const emptyMiB = await gateway.memory();
  await each(objects, 64, async (nth) => {
    const body = { metadata: { name: `many-${nth}` }, data: { text: "x".repeat(200) } };
    await must(client.call("POST", configMaps, { body }));
  });
  const [chunked, whole]: [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run += 1) {
    whole.push(await timed(() => must(client.call("GET", configMaps))));
    chunked.push(await timed(() => inChunks(client)));
  }
  const fullMs = await gateway.restart();
  await must(client.call("GET", `${configMaps}?limit=1`));
  const fullMiB = await gateway.memory();
  const params = { objects };
  return [
    {
      bench: "api/list-chunks",
      params: { ...params, limit: 500 },
      unit: "ms",
      measured: chunked,
      baseline: { name: "one LIST of all", measured: whole },
    },
    {
      bench: "api/start",
      params,
      unit: "ms",
      measured: [fullMs],
      baseline: { name: "without the objects", measured: [emptyMs] },
    },
    {
      bench: "api/memory",
      params,
      unit: "MiB",
      measured: [fullMiB],
      baseline: { name: "without the objects", measured: [emptyMiB] },
    },
  ];
}

async function inChunks(client: BenchGateway["client"]): Promise<void> {
  let next = "";
  do {
    const query = `limit=500${next === "" ? "" : `&continue=${encodeURIComponent(next)}`}`;
    const { body } = await must(client.call("GET", `${configMaps}?${query}`));
    const metadata = body["metadata"] as { readonly continue?: string }; // A list's.
    next = metadata.continue ?? "";
  } while (next !== "");
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      pods: { type: "string", default: "5000" },
      objects: { type: "string", default: "100000" },
      runs: { type: "string", default: "5" },
    },
  });
  report(
    await benchLists({
      pods: Number(values.pods),
      objects: Number(values.objects),
      runs: Number(values.runs),
    }),
  );
}
