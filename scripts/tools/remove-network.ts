import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";

const withinMs = 10_000;
const pollMs = 50;

/**
 * Removes a network whose containers are being removed: the engine answers a removal before it has
 * let go of the container's endpoint, and refuses to remove the network until then.
 *
 * @throws the engine's refusal when endpoints are still there 10 s later
 */
export async function removeNetwork(network: Docker.Network): Promise<void> {
  const begunMs = performance.now();
  for (;;) {
    try {
      await network.remove();
      return;
    } catch (error) {
      const code = (error as { statusCode?: number }).statusCode; // dockerode's errors carry it.
      if (code === 404) return;
      if (code !== 403 || performance.now() - begunMs > withinMs) throw error;
      await sleep(pollMs);
    }
  }
}
