import { describe, expect, test } from "vitest";
import { writableView } from "../cluster/view-of.ts";
import type { ClusterSettings } from "../cluster/settings.ts";
import { settingsFromEnvironment } from "../cluster/settings.ts";
import { namespace } from "../model/kinds/namespace.ts";
import { pod } from "../model/kinds/pod.ts";
import { serviceAccount } from "../model/kinds/serviceaccount.ts";
import { seededRandom } from "../telemetry/seeded-random.ts";
import { admitCreate } from "./admit.ts";

const settings: ClusterSettings = settingsFromEnvironment.parse({});
const place = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The spec of a pod that was admitted beside these accounts. */
function admitted(spec: object, accounts: readonly object[] = [], metadata: object = {}) {
  const cut = writableView();
  const { view } = cut;
  const context = { view, settings, now: 0, random: seededRandom(1) };
  cut.commit(admitCreate(namespace, { metadata: { name: "shop" } }, context).ops);
  for (const one of accounts) cut.commit(admitCreate(serviceAccount, one, context).ops);
  const containers = [{ name: "main", image: "web:1" }];
  return admitCreate(
    pod,
    { metadata: { name: "web", namespace: "shop", ...metadata }, spec: { containers, ...spec } },
    context,
  ).object.spec;
}

const robot = (more: object = {}) => ({ metadata: { name: "robot", namespace: "shop" }, ...more });
const as = { serviceAccountName: "robot" };
const tokenVolume = (spec: ReturnType<typeof admitted>) =>
  (spec.volumes ?? []).find(({ name }) => name.startsWith("kube-api-access-"));

describe("a pod's account", () => {
  test("shows its token to every container, as Kubernetes mounts it", () => {
    const spec = admitted({ initContainers: [{ name: "init", image: "web:1" }] });
    const volume = tokenVolume(spec);
    expect(spec).toMatchObject({ serviceAccountName: "default", serviceAccount: "default" });
    expect(volume?.name).toMatch(/^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(volume).toEqual({
      name: volume?.name,
      projected: {
        defaultMode: 420,
        sources: [
          { serviceAccountToken: { expirationSeconds: 3_607, path: "token" } },
          { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
          {
            downwardAPI: {
              items: [
                {
                  path: "namespace",
                  fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" },
                },
              ],
            },
          },
        ],
      },
    });
    for (const { volumeMounts } of [...spec.containers, ...(spec.initContainers ?? [])])
      expect(volumeMounts).toEqual([{ name: volume?.name, readOnly: true, mountPath: place }]);
  });

  test("leaves a container alone that mounts something there itself", () => {
    const own = { name: "own", mountPath: place };
    const volumes = [{ name: "own", emptyDir: {} }];
    const containers = [{ name: "main", image: "web:1", volumeMounts: [own] }];
    const spec = admitted({ containers, volumes });
    expect(tokenVolume(spec)).toBeUndefined();
    expect(spec.containers[0]?.volumeMounts).toMatchObject([own]);
  });

  test.each([
    ["the pod does without", { automountServiceAccountToken: false }, {}, false],
    ["its account does without", {}, { automountServiceAccountToken: false }, false],
    [
      "the pod wants it all the same",
      { automountServiceAccountToken: true },
      { automountServiceAccountToken: false },
      true,
    ],
  ])("is not shown where %s", (_name, spec, account, shown) => {
    const found = tokenVolume(admitted({ ...as, ...spec }, [robot(account)]));
    expect(found !== undefined).toBe(shown);
  });

  test("gives it the secrets that images are pulled with, unless it has some", () => {
    const accounts = [robot({ imagePullSecrets: [{ name: "registry" }] })];
    expect(admitted(as, accounts).imagePullSecrets).toEqual([{ name: "registry" }]);
    const own = [{ name: "own" }];
    expect(admitted({ ...as, imagePullSecrets: own }, accounts).imagePullSecrets).toEqual(own);
  });

  test("must be there", () => {
    expect(() => admitted(as)).toThrow(
      'pods "web" is forbidden: error looking up service account shop/robot: serviceaccount "robot" not found',
    );
  });

  test("is shown to no mirror of what a node runs by itself", () => {
    const annotations = { "kubernetes.io/config.mirror": "x" };
    expect(tokenVolume(admitted({}, [], { annotations }))).toBeUndefined();
  });
});
