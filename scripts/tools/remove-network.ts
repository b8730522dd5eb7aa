import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";

const withinMs = 10_000;
const pollMs = 50;
/** An endpoint of no container that is still there then has been forgotten by the engine. */
const forgottenAfterMs = 2_000;

/**
 * Removes a network whose containers are being removed: the engine answers a removal before it has
 * let go of the container's endpoint, and refuses to remove the network until then.
 *
 * @returns false when the network stays: Docker 20.10 forgets an endpoint now and then when hundreds
 * of containers come and go, and removes the network only after it was started anew
 * @throws the engine's refusal when containers are still in it 10 s later
 */
export async function removeNetwork(network: Docker.Network): Promise<boolean> {
  const begunMs = performance.now();
  for (;;) {
    try {
      await network.remove();
      return true;
    } catch (error) {
      const code = codeOf(error);
      const tookMs = performance.now() - begunMs;
      if (code === 404) return true;
      if (code !== 403 || tookMs > withinMs) throw error;
      if (tookMs > forgottenAfterMs && (await isEmpty(network))) return false;
      await sleep(pollMs);
    }
  }
}

async function isEmpty(network: Docker.Network): Promise<boolean> {
  try {
    const { Containers = {} } = (await network.inspect()) as { readonly Containers?: object };
    return Object.keys(Containers).length === 0;
  } catch (error) {
    if (codeOf(error) === 404) return false; // It went after all: the next try says so.
    throw error;
  }
}

/** dockerode's errors carry it. */
const codeOf = (error: unknown) => (error as { readonly statusCode?: number }).statusCode;
