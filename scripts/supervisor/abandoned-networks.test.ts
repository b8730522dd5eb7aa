import Docker from "dockerode";
import { expect, test } from "vitest";
import { clearAbandonedNetworks } from "./abandoned-networks.ts";
import { MachineTaken } from "./machine-registry.ts";

const docker = new Docker();
const podCIDR = "10.225.0.0/16";

/** A network as an agent makes it, of a cluster that nobody has any more. */
async function leave(id: string, subnet: string) {
  const network = await docker.createNetwork({
    Name: `berth-${id}-node-1`,
    Labels: { "berth.dev/cluster": id },
    IPAM: { Config: [{ Subnet: subnet }] },
  });
  return { network, [Symbol.asyncDispose]: () => network.remove().catch(() => "it is gone") };
}

const names = async () => (await docker.listNetworks()).map(({ Name }) => Name);

test("a network in the way that nobody has is taken away, and no other", async () => {
  const id = process.pid.toString(36);
  await using _left = await leave(`a${id}`, "10.225.7.0/24");
  await using _elsewhere = await leave(`b${id}`, "10.226.7.0/24");
  await using _own = await leave(`c${id}`, "10.225.8.0/24");
  await clearAbandonedNetworks(docker, { id: `c${id}`, podCIDR });
  expect(await names()).not.toContain(`berth-a${id}-node-1`);
  expect(await names()).toContain(`berth-b${id}-node-1`);
  expect(await names()).toContain(`berth-c${id}-node-1`);
});

test("a cluster whose services run as containers is in the way, and named", async () => {
  const id = `d${process.pid.toString(36)}`;
  await using left = await leave(id, "10.225.9.0/24");
  const container = await docker.createContainer({
    Image: "berth/hello:v1",
    Labels: { "berth.dev/services-of": id },
    HostConfig: { NetworkMode: "none" },
  });
  try {
    await container.start();
    const clearing = clearAbandonedNetworks(docker, { id: "own", podCIDR });
    await expect(clearing).rejects.toThrow(MachineTaken);
    await expect(clearing).rejects.toThrow(id);
    expect(await left.network.inspect()).toMatchObject({ Name: `berth-${id}-node-1` });
  } finally {
    await container.remove({ force: true });
  }
});
