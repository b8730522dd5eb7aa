/** Pods with an identity of their own, and pods tied to their nodes. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 2, controllers: 2 });
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

const template = (app: string) => `
  selector: { matchLabels: { app: ${app} } }
  template:
    metadata: { labels: { app: ${app} } }
    spec:
      terminationGracePeriodSeconds: 2
      containers:
        - name: web
          image: berth/hello:v1
          readinessProbe: { httpGet: { path: /ready, port: 8080 }, periodSeconds: 1 }
`;
const statefulSet = `
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  clusterIP: None
  selector: { app: web }
  ports: [{ name: http, port: 8080 }]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: web }
spec:
  serviceName: web
  replicas: 3
${template("web")}
`;
const daemonSet = `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: log }
spec:
${template("log")}
`;

const kubectl = (...args: string[]) => cluster.kubectl(args);
const apply = (manifest: string) => cluster.kubectl(["apply", "-f", "-"], manifest);
const jsonpath = (resource: string, path: string) =>
  kubectl("get", ...resource.split(" "), "-o", `jsonpath=${path}`);
const rolledOut = (what: string) => kubectl("rollout", "status", what, "--timeout=100s");
const namesOf = async (app: string) =>
  (await jsonpath(`pods -l app=${app}`, "{.items[*].metadata.name}")).split(" ").toSorted();

/** The history of the set's pods, as Events about it tell it: `create web-0`, in their order. */
async function steps(): Promise<readonly string[]> {
  const text = await kubectl(
    "get",
    "events",
    "--field-selector=involvedObject.kind=StatefulSet,involvedObject.name=web",
    "-o",
    "json",
  );
  const { items } = JSON.parse(text) as { readonly items: readonly EventFacts[] }; // A v1 EventList.
  return items
    .toSorted((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
    .flatMap(
      ({ message }) => /^(create|delete) Pod (\S+) in/.exec(message)?.slice(1).join(" ") ?? [],
    );
}
type EventFacts = {
  readonly message: string;
  readonly metadata: { readonly resourceVersion: string };
};

describe("a StatefulSet", () => {
  test("comes up in order", async () => {
    await apply(statefulSet);
    expect(await rolledOut("statefulset/web")).toMatch(/complete|roll out|rolled out/);
    expect(await namesOf("web")).toEqual(["web-0", "web-1", "web-2"]);
    await eventually("its Events tell the order", async () =>
      expect(await steps()).toEqual(["create web-0", "create web-1", "create web-2"]),
    );
    expect(await kubectl("get", "sts")).toMatch(/NAME\s+READY\s+AGE\nweb\s+3\/3/);
    expect(await kubectl("describe", "sts", "web")).toContain("SuccessfulCreate");
    const ready =
      "{range .items[*]}{.status.conditions[?(@.type=='Ready')].lastTransitionTime} {end}";
    const since = (await jsonpath("pods -l app=web --sort-by=.metadata.name", ready)).trim();
    expect(since.split(" ")).toEqual(since.split(" ").toSorted());
  });

  test("gives each pod a host name that the others find it by", async () => {
    expect(await kubectl("exec", "web-1", "--", "hostname")).toBe("web-1\n");
    const ask =
      'fetch("http://web-0.web:8080/").then((r) => r.json()).then((a) => console.log(a.pod))';
    await eventually("web-1 reaches web-0 by its name", async () =>
      expect(await kubectl("exec", "web-1", "--", "node", "-e", ask)).toBe("web-0\n"),
    );
  });

  test("rolls in reverse order, and its pods keep their names", async () => {
    const before = await jsonpath("pods -l app=web", "{.items[*].metadata.uid}");
    const known = (await steps()).length;
    await kubectl("set", "image", "sts/web", "web=berth/hello:v2");
    await rolledOut("statefulset/web");
    expect(await namesOf("web")).toEqual(["web-0", "web-1", "web-2"]);
    const uids = await jsonpath("pods -l app=web", "{.items[*].metadata.uid}");
    expect(uids.split(" ").filter((uid) => before.includes(uid))).toEqual([]);
    await eventually("its Events tell the order", async () =>
      expect((await steps()).slice(known)).toEqual([
        "delete web-2",
        "create web-2",
        "delete web-1",
        "create web-1",
        "delete web-0",
        "create web-0",
      ]),
    );
  });

  test("shows its history, and is undone", async () => {
    expect(await kubectl("rollout", "history", "sts/web")).toMatch(/^1\s[\s\S]*^2\s/m);
    expect(await kubectl("rollout", "history", "sts/web", "--revision=1")).toContain("hello:v1");
    await kubectl("rollout", "undo", "sts/web");
    await rolledOut("statefulset/web");
    const images = await jsonpath("pods -l app=web", "{.items[*].spec.containers[0].image}");
    expect(new Set(images.split(" "))).toEqual(new Set(["berth/hello:v1"]));
    expect(await kubectl("get", "controllerrevisions")).toMatch(/statefulset\.apps\/web\s+3/);
  });

  test("scales down from its last pod", async () => {
    const known = (await steps()).length;
    await kubectl("scale", "sts/web", "--replicas=1");
    await eventually("two pods are gone", async () =>
      expect(await namesOf("web")).toEqual(["web-0"]),
    );
    await eventually("its Events tell the order", async () =>
      expect((await steps()).slice(known)).toEqual(["delete web-2", "delete web-1"]),
    );
  });
});

describe("a StatefulSet with claims", () => {
  test("makes them, and its pod waits for what nobody binds", async () => {
    await apply(`
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  replicas: 1
  persistentVolumeClaimRetentionPolicy: { whenDeleted: Delete }
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - { name: web, image: "berth/hello:v1", volumeMounts: [{ name: data, mountPath: /data }] }
  volumeClaimTemplates:
    - metadata: { name: data }
      spec:
        storageClassName: ""
        accessModes: [ReadWriteOnce]
        resources: { requests: { storage: 1Gi } }
`);
    await eventually("the pod says what it waits for", async () =>
      expect(await kubectl("describe", "pod", "db-0")).toContain(
        "pod has unbound immediate PersistentVolumeClaims",
      ),
    );
    expect(await kubectl("get", "pvc")).toMatch(/data-db-0\s+Pending/);
    await kubectl("delete", "sts", "db", "--timeout=60s");
    await eventually("its claims went with it", async () =>
      expect(await jsonpath("pvc", "{.items[*].metadata.name}")).toBe(""),
    );
  });
});

describe("a DaemonSet", () => {
  const nodesOf = async () =>
    (await jsonpath("pods -l app=log", "{.items[*].spec.nodeName}")).split(" ").toSorted();

  test("runs on every node, and shows it", async () => {
    const nodes = (await jsonpath("nodes", "{.items[*].metadata.name}")).split(" ").toSorted();
    expect(nodes).toHaveLength(2);
    await apply(daemonSet);
    expect(await rolledOut("daemonset/log")).toContain("successfully rolled out");
    expect(await nodesOf()).toEqual(nodes);
    expect(await kubectl("get", "ds")).toMatch(/log\s+2\s+2\s+2\s+2\s+2\s+<none>/);
    expect(await kubectl("describe", "ds", "log")).toMatch(/Desired Number of Nodes Scheduled: 2/);
  });

  test("rolls, shows its history, and is undone", async () => {
    const nodes = await nodesOf();
    const images = async () =>
      new Set(
        (await jsonpath("pods -l app=log", "{.items[*].spec.containers[0].image}")).split(" "),
      );
    await kubectl("set", "image", "ds/log", "web=berth/hello:v2");
    await rolledOut("daemonset/log");
    expect(await nodesOf()).toEqual(nodes);
    expect(await images()).toEqual(new Set(["berth/hello:v2"]));
    expect(await kubectl("rollout", "history", "ds/log")).toMatch(/^1\s[\s\S]*^2\s/m);
    await kubectl("rollout", "undo", "ds/log");
    await rolledOut("daemonset/log");
    expect(await images()).toEqual(new Set(["berth/hello:v1"]));
  });

  test("leaves a node that it no longer selects", async () => {
    const [first = ""] = await nodesOf();
    await kubectl("label", "node", first, "log=yes");
    const nodeSelector = { spec: { template: { spec: { nodeSelector: { log: "yes" } } } } };
    await kubectl("patch", "ds", "log", "-p", JSON.stringify(nodeSelector));
    await eventually("only the labelled node has a pod", async () =>
      expect(await nodesOf()).toEqual([first]),
    );
    await rolledOut("daemonset/log");
  });
});

describe("what keeps pods available", () => {
  test("a ReplicationController's pods are counted by a budget", async () => {
    await apply(`
apiVersion: v1
kind: ReplicationController
metadata: { name: old }
spec:
  replicas: 2
  template:
    metadata: { labels: { app: old } }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: web, image: "berth/hello:v1" }]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: old }
spec:
  maxUnavailable: 1
  selector: { matchLabels: { app: old } }
`);
    await eventually("one of two may be evicted", async () =>
      expect(await kubectl("get", "pdb", "old")).toMatch(/old\s+N\/A\s+1\s+1\s/),
    );
    await kubectl("scale", "rc/old", "--replicas=3");
    await eventually("it follows the scale", async () =>
      expect(
        await jsonpath(
          "pdb old",
          "{.status.expectedPods} {.status.currentHealthy} {.status.desiredHealthy}",
        ),
      ).toBe("3 3 2"),
    );
    expect(await kubectl("get", "rc", "old")).toMatch(/old\s+3\s+3\s+3/);
  });
});
