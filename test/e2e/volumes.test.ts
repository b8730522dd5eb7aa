/** Storage that outlives pods: made for claims, made by hand, and taken away again. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";
import { asksTheApi } from "../in-pod-client.ts";

let cluster: TestCluster;
let disk = "";
beforeAll(async () => {
  disk = mkdtempSync(join(tmpdir(), "berth-disk-"));
  cluster = await testCluster({ nodes: 2, controllers: 2 });
});
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  rmSync(disk, { recursive: true, force: true });
});

const kubectl = (...args: string[]) => cluster.kubectl(args);
const apply = (manifest: string) => cluster.kubectl(["apply", "-f", "-"], manifest);
const jsonpath = (resource: string, path: string) =>
  kubectl("get", ...resource.split(" "), "-o", `jsonpath=${path}`);
const isReady = (pod: string) =>
  kubectl("wait", "--for=condition=Ready", `pod/${pod}`, "--timeout=60s");
const inPod = (pod: string, script: string) => kubectl("exec", pod, "--", "node", "-e", script);
const writes = (pod: string, text: string) =>
  inPod(pod, `require("node:fs").writeFileSync("/data/note", ${JSON.stringify(text)})`);
const reads = (pod: string) =>
  inPod(pod, `process.stdout.write(require("node:fs").readFileSync("/data/note", "utf8"))`);

const aPod = (name: string, claim: string, mount = "") => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: web
      image: berth/hello:v1
      volumeMounts: [{ name: data, mountPath: /data ${mount} }]
  volumes: [{ name: data, persistentVolumeClaim: { claimName: ${claim} } }]
`;

describe("a StatefulSet's volumes", () => {
  const volumeOf = async (claim: string) => jsonpath(`pvc ${claim}`, "{.spec.volumeName}");

  test("are made for it, one for each of its pods", async () => {
    expect(await kubectl("get", "storageclass")).toMatch(
      /berth-local \(default\)\s+berth.dev\/host-path\s+Delete\s+WaitForFirstConsumer/,
    );
    await apply(`
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  replicas: 2
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - { name: web, image: "berth/hello:v1", volumeMounts: [{ name: data, mountPath: /data }] }
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
`);
    await kubectl("rollout", "status", "sts/db", "--timeout=100s");
    const shown = await kubectl("get", "pvc");
    expect(shown).toMatch(/data-db-0\s+Bound\s+pvc-\S+\s+1Gi\s+RWO\s+berth-local/);
    expect(shown).toMatch(/data-db-1\s+Bound\s+pvc-\S+\s+1Gi\s+RWO\s+berth-local/);
    await eventually("its volumes say so too", async () =>
      expect(await kubectl("get", "pv")).toMatch(
        /pvc-\S+\s+1Gi\s+RWO\s+Delete\s+Bound\s+default\/data-db-0\s+berth-local/,
      ),
    );
    expect(await volumeOf("data-db-0")).not.toBe(await volumeOf("data-db-1"));
    expect(await kubectl("describe", "pvc", "data-db-0")).toContain("ProvisioningSucceeded");
  });

  test("keep what a pod wrote when it is made again, and others do not see it", async () => {
    await writes("db-0", "of db-0");
    await writes("db-1", "of db-1");
    const [uid, node] = await Promise.all([
      jsonpath("pod db-0", "{.metadata.uid}"),
      jsonpath("pod db-0", "{.spec.nodeName}"),
    ]);
    await kubectl("delete", "pod", "db-0");
    await eventually("there is another db-0", async () => {
      expect(await jsonpath("pod db-0", "{.metadata.uid}")).not.toBe(uid);
      await isReady("db-0");
    });
    expect(await reads("db-0")).toBe("of db-0");
    expect(await reads("db-1")).toBe("of db-1");
    expect(await jsonpath("pod db-0", "{.spec.nodeName}")).toBe(node);
  });

  test("outlive the set, are held while a pod uses them, and go with their claims", async () => {
    const volume = await volumeOf("data-db-0");
    const path = await jsonpath(`pv ${volume}`, "{.spec.hostPath.path}");
    expect(existsSync(path)).toBe(true);
    await kubectl("delete", "pvc", "data-db-0", "--wait=false");
    expect(await kubectl("get", "pvc", "data-db-0")).toContain("Terminating"); // The pod uses it.
    await kubectl("delete", "sts", "db", "--timeout=60s");
    await eventually("its pods are gone, and with the last user the claim", async () => {
      expect(await jsonpath("pods -l app=db", "{.items[*].metadata.name}")).toBe("");
      expect(await jsonpath("pvc", "{.items[*].metadata.name}")).toBe("data-db-1");
    });
    await eventually("the volume and its directory are gone", async () => {
      expect(await jsonpath("pv", "{.items[*].metadata.name}")).not.toContain(volume);
      expect(existsSync(path)).toBe(false);
    });
    await kubectl("delete", "pvc", "data-db-1", "--timeout=60s");
    await eventually("there is no volume any more", async () =>
      expect(await jsonpath("pv", "{.items[*].metadata.name}")).toBe(""),
    );
  });
});

describe("a volume that was made by hand", () => {
  test("is bound to a claim that it fits, and pods write to it and read it", async () => {
    await apply(`
apiVersion: v1
kind: PersistentVolume
metadata: { name: disk }
spec:
  capacity: { storage: 2Gi }
  accessModes: [ReadWriteOnce, ReadOnlyMany]
  hostPath: { path: ${disk}/data, type: DirectoryOrCreate }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: by-hand }
spec:
  storageClassName: ""
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: 1Gi } }
---
${aPod("writer", "by-hand")}
`);
    await isReady("writer");
    expect(await kubectl("get", "pvc", "by-hand")).toMatch(
      /by-hand\s+Bound\s+disk\s+2Gi\s+RWO,ROX/,
    );
    await writes("writer", "by hand");
    await kubectl("delete", "pod", "writer");
    await apply(aPod("reader", "by-hand", ", readOnly: true"));
    await isReady("reader");
    expect(await reads("reader")).toBe("by hand");
    await expect(writes("reader", "no")).rejects.toThrow(/EROFS|read-only/);
    await kubectl("delete", "pod", "reader");
  });

  test("is kept when its claim goes, for nobody else", async () => {
    await kubectl("delete", "pvc", "by-hand", "--timeout=60s");
    await eventually("it is released", async () =>
      expect(await kubectl("get", "pv", "disk")).toMatch(/Retain\s+Released\s+default\/by-hand/),
    );
    expect(existsSync(join(disk, "data/note"))).toBe(true);
    await kubectl("delete", "pv", "disk", "--timeout=60s");
    expect(existsSync(join(disk, "data/note"))).toBe(true);
  });
});

describe("a pod", () => {
  test("waits for its claim, and says so", async () => {
    await apply(aPod("early", "late"));
    await eventually("it says what it waits for", async () =>
      expect(await kubectl("describe", "pod", "early")).toContain(
        'persistentvolumeclaim "late" not found',
      ),
    );
    await apply(`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: late }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } } }
`);
    await isReady("early");
    await kubectl("delete", "pod", "early");
    await kubectl("delete", "pvc", "late", "--timeout=60s");
  });

  test("shares its claim with others on its node", async () => {
    await apply(`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: shared }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } } }
---
${aPod("a", "shared")}
---
${aPod("b", "shared")}
`);
    await isReady("a");
    await isReady("b");
    const nodes = await jsonpath("pods a b", "{.items[*].spec.nodeName}");
    expect(new Set(nodes.split(" ")).size).toBe(1);
    await writes("a", "for b");
    expect(await reads("b")).toBe("for b");
  });
});

describe("a pod of any node", () => {
  test.each(["node-1", "node-2"])("calls the API with its own token, on %s", async (node) => {
    const name = `asks-on-${node}`;
    await apply(`
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  nodeName: ${node}
  terminationGracePeriodSeconds: 1
  containers: [{ name: web, image: "berth/hello:v1" }]
`);
    await isReady(name);
    for (const host of ['"kubernetes.default.svc"', "process.env.KUBERNETES_SERVICE_HOST"]) {
      await eventually("the API answers", async () => {
        const said = await inPod(name, asksTheApi(host));
        expect(said).toMatch(/^default\{/);
        expect(said).toContain('"username":"system:serviceaccount:default:default"');
        expect(said).toContain(`"authentication.kubernetes.io/pod-name":["${name}"]`);
        expect(said).toContain(`"authentication.kubernetes.io/node-name":["${node}"]`);
      });
    }
  });

  test("is nobody when it wants no token", async () => {
    await apply(`
apiVersion: v1
kind: Pod
metadata: { name: nobody }
spec:
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 1
  containers: [{ name: web, image: "berth/hello:v1" }]
`);
    await isReady("nobody");
    expect(await jsonpath("pod nobody", "{.spec.volumes}")).toBe("");
  });
});
