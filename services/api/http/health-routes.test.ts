import { expect, test } from "vitest";
import { configMap } from "../../../libs/model/kinds/configmap.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import type { Gateway } from "../resources/gateway.ts";
import { healthRoutes } from "./health-routes.ts";
import type { Exchange } from "./server.ts";

const clock = virtualClock();

/** What a path answers while the state is read so. */
async function asked(url: string, consistent: () => Promise<void>) {
  const [path = "", query = ""] = url.split("?");
  const gateway = {
    kinds: [configMap],
    backendFor: () => ({ consistent }),
    ports: { clock },
  } as unknown as Pick<Gateway, "kinds" | "backendFor" | "ports">; // The little that is looked at.
  const route = healthRoutes(gateway).find((one) => one.path === path);
  const exchange = { query: new URLSearchParams(query) } as Exchange; // As above.
  const answer = Promise.resolve(route?.handle(exchange));
  await clock.advance(2_000);
  const reply = await answer;
  return reply?.type === "body" ? `${reply.code} ${String(reply.body)}` : "";
}

const reached = () => Promise.resolve();
const broken = () => Promise.reject(new Error("out of reach"));
const silent = () => new Promise<void>(() => undefined);

test.each([
  ["/readyz", reached, "200 ok"],
  ["/readyz?verbose", reached, "200 [+]ping ok\n[+]state ok\nreadyz check passed\n"],
  ["/readyz", broken, "500 [+]ping ok\n[-]state failed: reason withheld\nreadyz check failed\n"],
  ["/readyz/state", silent, "500 [-]state failed: reason withheld\nreadyz check failed\n"],
  ["/readyz?exclude=state", broken, "200 ok"],
  ["/readyz/ping", broken, "200 ok"],
  ["/livez", broken, "200 ok"],
  ["/livez/ping?verbose", broken, "200 [+]ping ok\nlivez check passed\n"],
  ["/healthz", silent, "500 [+]ping ok\n[-]state failed: reason withheld\nhealthz check failed\n"],
])("%s tells how it is", async (url, consistent, said) => {
  expect(await asked(url, consistent)).toBe(said);
});
