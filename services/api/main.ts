/** The gateway's process: reads the environment, holds the resources, decides nothing. */
import { connect } from "@nats-io/transport-node";
import * as z from "zod";
import { natsBus } from "../../libs/bus/nats.ts";
import { openCluster } from "../../libs/cluster/open.ts";
import { settingsFromEnvironment } from "../../libs/cluster/settings.ts";
import { clusterView, replicaOptions } from "../../libs/cluster/view.ts";
import { registry } from "../../libs/model/registry.ts";
import { natsStore } from "../../libs/store/nats.ts";
import { openReplica } from "../../libs/store/open-replica.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { stopSignal } from "../../libs/telemetry/stop-signal.ts";
