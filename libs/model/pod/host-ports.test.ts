import { expect, test } from "vitest";
import { hostPortsOf, portsCollide } from "./host-ports.ts";

test("a pod takes up the host ports of its containers and sidecars", () => {
  const spec = {
    containers: [{ ports: [{ containerPort: 80, hostPort: 8080 }, { containerPort: 81 }] }],
    initContainers: [
      { ports: [{ containerPort: 82, hostPort: 8082 }] },
      {
        restartPolicy: "Always",
        ports: [{ containerPort: 83, hostPort: 8083, hostIP: "10.0.0.1", protocol: "UDP" }],
      },
    ],
  };
  expect(hostPortsOf(spec)).toEqual(["TCP/8080/0.0.0.0", "UDP/8083/10.0.0.1"]);
  expect(hostPortsOf({ ...spec, initContainers: [], hostNetwork: true })).toEqual([
    "TCP/8080/0.0.0.0",
    "TCP/81/0.0.0.0",
  ]);
});

test.each([
  { one: "TCP/80/0.0.0.0", other: "TCP/80/10.0.0.1", collide: true },
  { one: "TCP/80/10.0.0.1", other: "TCP/80/0.0.0.0", collide: true },
  { one: "TCP/80/10.0.0.1", other: "TCP/80/10.0.0.2", collide: false },
  { one: "TCP/80/0.0.0.0", other: "UDP/80/0.0.0.0", collide: false },
  { one: "TCP/80/0.0.0.0", other: "TCP/81/0.0.0.0", collide: false },
])("$one and $other collide: $collide", ({ one, other, collide }) => {
  expect(portsCollide(one, other)).toBe(collide);
});
