/** kubectl itself applying on the server, against a gateway in this process. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { type MemoryGateway, openMemoryGateway } from "../services/api/memory-gateway.ts";
import { CommandFailed } from "../scripts/tools/run.ts";
import { type Kubectl, kubectlOf } from "./cluster.ts";
import { httpsClient } from "./https-client.ts";

let gateway: MemoryGateway;
let kubectl: Kubectl;
let folder: string;

beforeAll(async () => {
  gateway = await openMemoryGateway();
  folder = await mkdtemp(join(tmpdir(), "berth-apply-"));
  const path = join(folder, "kubeconfig");
  await writeFile(path, stringify(kubeconfigOf(gateway)));
  kubectl = await kubectlOf(path, folder);
  const body = { metadata: { name: "default" } };
  await httpsClient(gateway).call("POST", "/api/v1/namespaces", { body });
});

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const kubeconfigOf = ({ server, authority, token }: MemoryGateway) => ({
  apiVersion: "v1",
  kind: "Config",
  clusters: [
    {
      name: "c",
      cluster: {
        server,
        "certificate-authority-data": Buffer.from(authority).toString("base64"),
      },
    },
  ],
  users: [{ name: "u", user: { token } }],
  contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
  "current-context": "x",
});

const manifest = (name: string, { replicas = 1, image = "web:v1" } = {}) =>
  JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: "web", image, ports: [{ containerPort: 80 }] }] },
      },
    },
  });

const serverSide = ["apply", "--server-side", "-f", "-"] as const;
const read = (name: string, path: string) =>
  kubectl(["get", "deployment", name, "-o", `jsonpath=${path}`, "--show-managed-fields"]);
/** What a command that fails printed. */
const refusal = async (attempt: Promise<string>): Promise<string> => {
  const failed = await attempt.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failed instanceof CommandFailed)) return expect.unreachable("it was not refused");
  return `${failed.stdout}\n${String(failed.cause)}`;
};

describe("kubectl apply --server-side", () => {
  test("makes, leaves and changes a Deployment", async () => {
    expect(await kubectl(serverSide, manifest("web"))).toContain(
      "deployment.apps/web serverside-applied",
    );
    const revision = await read("web", "{.metadata.resourceVersion}");
    await kubectl(serverSide, manifest("web"));
    expect(await read("web", "{.metadata.resourceVersion}")).toBe(revision);
    await kubectl(serverSide, manifest("web", { replicas: 3 }));
    expect(await read("web", "{.spec.replicas}")).toBe("3");
  });

  test("tells conflicts, and takes by force", async () => {
    await kubectl(serverSide, manifest("fought"));
    const other = manifest("fought", { image: "web:v2" });
    const told = await refusal(kubectl([...serverSide, "--field-manager=other"], other));
    expect(told).toContain(
      'Apply failed with 1 conflict: conflict with "kubectl": .spec.template.spec.containers[name="web"].image',
    );
    expect(told).toContain("--force-conflicts");
    await kubectl([...serverSide, "--field-manager=other", "--force-conflicts"], other);
    expect(await read("fought", "{.spec.template.spec.containers[0].image}")).toBe("web:v2");
    const managers = await read("fought", "{.metadata.managedFields[*].manager}");
    expect(managers.split(" ").toSorted()).toEqual(["kubectl", "other"]);
  });

  test("takes over what client-side apply has made", async () => {
    await kubectl(["apply", "-f", "-"], manifest("moved", { replicas: 2 }));
    expect(await read("moved", "{.metadata.managedFields[*].manager}")).toBe(
      "kubectl-client-side-apply",
    );
    await kubectl(serverSide, manifest("moved", { replicas: 4 }));
    expect(await read("moved", "{.spec.replicas}")).toBe("4");
    // kubectl keeps the annotation under a name of its own.
    const applied = '{.metadata.managedFields[?(@.operation=="Apply")].manager}';
    // Their order is that of their seconds.
    expect((await read("moved", applied)).split(" ").toSorted()).toEqual([
      "kubectl",
      "kubectl-last-applied",
    ]);
  });

  test("is refused what a scale has set", async () => {
    await kubectl(serverSide, manifest("scaled"));
    await kubectl(["scale", "deployment/scaled", "--replicas=5"]);
    const path = "{.metadata.managedFields[*].subresource}";
    expect(await read("scaled", path)).toBe("scale");
    const told = await refusal(kubectl(serverSide, manifest("scaled")));
    expect(told).toContain('with subresource "scale" using apps/v1: .spec.replicas');
  });
});

describe("kubectl apply", () => {
  test("after create changes what was created", async () => {
    await kubectl(["create", "-f", "-"], manifest("made"));
    expect(await kubectl(["apply", "-f", "-"], manifest("made", { image: "web:v2" }))).toContain(
      "deployment.apps/made configured",
    );
    expect(await kubectl(["apply", "-f", "-"], manifest("made", { image: "web:v2" }))).toContain(
      "deployment.apps/made unchanged",
    );
    const managers = await read("made", "{.metadata.managedFields[*].manager}");
    expect(managers.split(" ").toSorted()).toEqual(["kubectl-client-side-apply", "kubectl-create"]);
  });

  test.each([["--server-side=false"], ["--server-side"]])(
    "diff %s shows a change",
    async (side) => {
      await kubectl(["apply", side, "-f", "-"], manifest(`diff${side.length}`));
      expect(await kubectl(["diff", side, "-f", "-"], manifest(`diff${side.length}`))).toBe("");
      const changed = manifest(`diff${side.length}`, { image: "web:v2" });
      const told = await refusal(kubectl(["diff", side, "-f", "-"], changed));
      expect(told).toMatch(/\n\+ +- image: web:v2|\n\+ +image: web:v2/);
    },
  );
});
