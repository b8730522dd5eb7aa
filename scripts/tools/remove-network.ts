import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";

const withinMs = 10_000;
const pollMs = 50;
/** An endpoint that is still there then has been forgotten by the engine. */
const forgottenAfterMs = 2_000;

/**
 * Removes a network whose containers are being removed: the engine answers a removal before it has
 * let go of the container's endpoint, and refuses to remove the network until then. Of a container
 * that is removed while it starts, Docker 20.10 forgets the endpoint: it is cut off by its name.
 *
 * @param names of the containers that were in it
 * @throws the engine's refusal when endpoints are still there 10 s later
 */
export async function removeNetwork(
  network: Docker.Network,
  names: readonly string[] = [],
): Promise<void> {
  const begunMs = performance.now();
  const forgotten = [...names];
  for (;;) {
    try {
      await network.remove();
      return;
    } catch (error) {
      const code = (error as { statusCode?: number }).statusCode; // dockerode's errors carry it.
      if (code === 404) return;
      if (code !== 403 || performance.now() - begunMs > withinMs) throw error;
      if (performance.now() - begunMs > forgottenAfterMs) {
        for (const name of forgotten.splice(0)) await cutOff(network, name);
      }
      await sleep(pollMs);
    }
  }
}

/** Most have no endpoint there any more, which the engine says as an error. */
const cutOff = (network: Docker.Network, name: string): Promise<unknown> =>
  network.disconnect({ Container: name, Force: true }).catch(() => undefined);
