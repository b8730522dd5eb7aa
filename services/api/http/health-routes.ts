/**
 * Whether the gateway lives and serves: `/livez`, `/readyz` and `/healthz`, each check also by itself,
 * in Kubernetes' words. The server listens only once its caches are loaded.
 */
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Gateway } from "../resources/gateway.ts";
import { textReply } from "./reply.ts";
import type { Exchange, Route } from "./server.ts";

type Check = {
  readonly name: string;
  /** Resolves when all is well. */
  readonly run: () => Promise<void>;
};

/** A store that has not answered by then is out of reach. */
const stateWaitMs = 2_000;

export function healthRoutes(
  gateway: Pick<Gateway, "kinds" | "backendFor" | "ports">,
): readonly Route[] {
  const ping: Check = { name: "ping", run: async () => undefined };
  const state = stateCheck(gateway);
  return [
    ...checked("livez", [ping]),
    ...checked("readyz", [ping, state]),
    ...checked("healthz", [ping, state]),
  ];
}

/** That the state can be read as it is now: a consistent read. Who asks meanwhile shares the answer. */
function stateCheck({ kinds, backendFor, ports }: Parameters<typeof healthRoutes>[0]): Check {
  const [kind] = kinds;
  const read = async () => {
    if (kind !== undefined) await within(ports.clock, backendFor(kind).consistent());
  };
  let running: Promise<void> | undefined;
  const shared = () =>
    (running ??= read().finally(() => {
      running = undefined;
    }));
  return { name: "state", run: shared };
}

async function within(clock: Pick<Clock, "after">, work: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  using _timer = clock.after(stateWaitMs, () => late.reject(new Error("no answer in time")));
  await Promise.race([work, late.promise]);
}

function checked(name: string, checks: readonly Check[]): readonly Route[] {
  const route = (path: string, run: readonly Check[]): Route => ({
    method: "GET",
    path,
    open: true,
    handle: ({ query }: Exchange) => {
      const excluded = query.getAll("exclude");
      return judged(
        name,
        run.filter((check) => !excluded.includes(check.name)),
        { verbose: query.has("verbose") },
      );
    },
  });
  return [
    route(`/${name}`, checks),
    ...checks.map((check) => route(`/${name}/${check.name}`, [check])),
  ];
}

async function judged(
  name: string,
  checks: readonly Check[],
  { verbose }: { readonly verbose: boolean },
) {
  const results = await Promise.all(
    checks.map(async (check) => {
      try {
        await check.run();
        return { name: check.name, ok: true };
      } catch {
        return { name: check.name, ok: false }; // Anybody may ask: what is wrong is in the log.
      }
    }),
  );
  const healthy = results.every(({ ok }) => ok);
  if (healthy && !verbose) return textReply("ok");
  const lines = results.map((one) =>
    one.ok ? `[+]${one.name} ok` : `[-]${one.name} failed: reason withheld`,
  );
  const verdict = `${name} check ${healthy ? "passed" : "failed"}`;
  return textReply(`${[...lines, verdict].join("\n")}\n`, healthy ? 200 : 500);
}
