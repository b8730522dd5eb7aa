import { readFile } from "node:fs/promises";
import { placeIn } from "../../test/https-client.ts";
import { bareClient } from "./bare-client.ts";
import { benchGateway, benchPod, each, must, timed } from "./gateway.ts";
await using gateway = await benchGateway();
const pods = "/api/v1/namespaces/bench/pods";
await each(5000, 64, async (nth) => { await must(gateway.client.call("POST", pods, { body: benchPod(`pod-${nth}`) })); });
using ours = await bareClient(placeIn(await readFile(gateway.kubeconfig, "utf8")));
const accepts = { json: "application/json", table: "application/json;as=Table;v=v1;g=meta.k8s.io", protobuf: "application/vnd.kubernetes.protobuf" };
for (const [k, accept] of Object.entries(accepts)) {
  const t: number[] = [];
  for (let n = 0; n < 30; n += 1) t.push(await timed(() => ours.ask("GET", pods, { accept })));
  console.log(k, t.map((x) => x.toFixed(0)).join(" "));
}
