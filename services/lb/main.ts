import { hostname } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { natsBus } from "../../libs/bus/nats.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { healthMark } from "../../libs/telemetry/health.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { stopSignal } from "../../libs/telemetry/stop-signal.ts";
import { addressesOnLo } from "./dataplane/addresses.ts";
import { nftables, nftablesWork, removeTable } from "./dataplane/nftables.ts";
import { proxy } from "./dataplane/proxy.ts";
import { runCommand } from "../../libs/machine/run-command.ts";
import { forwarder, resolvConf } from "./dns/forward.ts";
import { machine, machineAddresses } from "./machine.ts";
import { fileMemory } from "../../libs/machine/file-memory.ts";
import { runSession } from "./session/session.ts";

const config = z
  .object({
    BERTH_NATS_URL: z.string().default("nats://127.0.0.1:4222"),
    BERTH_CLUSTER_ID: z
      .string()
      .regex(/^[a-z0-9]{1,8}$/)
      .default("berth"),
    BERTH_MACHINE: z.string().min(1).default(hostname()),
    BERTH_DATA_DIR: z.string().default(join(process.cwd(), ".berth", "lb")),
    BERTH_DATAPLANE: z.enum(["auto", "nftables", "proxy"]).default("auto"),
    /** Touched whenever the service has done its work anew. */
    BERTH_HEALTH_FILE: z.string().optional(),
    BERTH_LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
  })
  .parse(process.env);

using stop = stopSignal();
const log = createLog("lb", config.BERTH_LOG_LEVEL);
const ports = { clock: systemClock, random: systemRandom, log };
const clusterId = config.BERTH_CLUSTER_ID;
const addresses = addressesOnLo(clusterId, runCommand);
const memory = fileMemory(join(config.BERTH_DATA_DIR, `lb-${config.BERTH_MACHINE}.json`));

let dnsAddress: string | undefined;
const inKernel =
  config.BERTH_DATAPLANE === "nftables" ||
  (config.BERTH_DATAPLANE === "auto" && (await nftablesWork(runCommand)));
if (!inKernel) await removeTable(clusterId, runCommand); // It would shadow the proxy.
const dataplane = inKernel
  ? nftables({ clusterId, run: runCommand })
  : proxy({
      addresses,
      alsoHeld: () => (dnsAddress === undefined ? [] : [dnsAddress]),
      machineAddresses,
      ...ports,
    });
log.info({ dataplane: dataplane.name, machine: config.BERTH_MACHINE }, "lb starts");

const servers = resolvConf("/etc/resolv.conf", () => dnsAddress, systemClock);
{
  await using here = machine({
    dataplane,
    addresses,
    forward: forwarder({ servers, ...ports }),
    ...ports,
  });
  await runSession({
    machine: config.BERTH_MACHINE,
    connect: () =>
      natsBus({ url: config.BERTH_NATS_URL, name: `lb-${config.BERTH_MACHINE}`, ...ports }),
    memory,
    apply: (known) => {
      dnsAddress = known.cluster?.dnsAddress;
      return here.apply(known);
    },
    repair: () => here.repair(),
    onWorking: healthMark(config.BERTH_HEALTH_FILE, log),
    ...ports,
    signal: stop.signal,
  });
}
log.info("lb stops; its rules stay");
process.exit(0); // An attempt to connect to a NATS that is away would keep the process alive.
