import { describe, expect, test } from "vitest";
import { clusterFacts } from "../agent-fixture.ts";
import { aWork } from "../pod/fixtures.ts";
import { addressesIn, gatewayOf } from "./addresses.ts";
import { resolvConf } from "./resolv-conf.ts";

const host = "nameserver 192.0.2.53\nsearch example.org\n";

describe("a pod's resolv.conf", () => {
  test("asks the cluster first", () => {
    expect(resolvConf(aWork(), clusterFacts, host)).toBe(
      `nameserver ${clusterFacts.dnsAddress}\nsearch default.svc.cluster.local svc.cluster.local cluster.local example.org\noptions ndots:5\n`,
    );
  });
  test("is the machine's under dnsPolicy Default", () => {
    expect(resolvConf(aWork({ dnsPolicy: "Default" }), clusterFacts, host)).toBe(host);
  });
  test("is the pod's own under dnsPolicy None", () => {
    const dnsConfig = { nameservers: ["192.0.2.1"], options: [{ name: "ndots", value: "2" }] };
    const work = aWork({ dnsPolicy: "None", dnsConfig });
    expect(resolvConf(work, clusterFacts, host)).toBe("nameserver 192.0.2.1\noptions ndots:2\n");
  });
});

describe("a node's addresses", () => {
  test("are given to one pod each, and rest before they are given again", () => {
    const addresses = addressesIn("10.1.2.0/29");
    addresses.adopt("old", "10.1.2.3");
    expect(["a", "a", "b"].map((uid) => addresses.take(uid))).toEqual([
      "10.1.2.2",
      "10.1.2.2",
      "10.1.2.4",
    ]);
    addresses.release("a");
    expect(["c", "d", "e", "f"].map((uid) => addresses.take(uid))).toEqual([
      "10.1.2.5",
      "10.1.2.6",
      "10.1.2.2",
      undefined,
    ]);
    expect(gatewayOf("10.1.2.0/29")).toBe("10.1.2.1");
  });
});
