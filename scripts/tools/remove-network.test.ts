import Docker from "dockerode";
import { expect, test } from "vitest";
import { baseImage, ensureBaseImage } from "../images/base.ts";
import { removeNetwork } from "./remove-network.ts";

test("a network is removed once the containers in it have let go of it", async () => {
  const docker = new Docker();
  await ensureBaseImage(docker);
  const name = `berth-test-${process.pid}`;
  const network = await docker.createNetwork({ Name: name, Driver: "bridge" });
  const container = await docker.createContainer({
    Image: baseImage,
    Cmd: ["sleep", "60"],
    HostConfig: { NetworkMode: name },
  });
  await container.start();
  const removing = removeNetwork(network);
  await container.remove({ force: true });
  await removing;
  expect(await docker.listNetworks({ filters: { name: [name] } })).toEqual([]);
});
