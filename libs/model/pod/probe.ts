import * as z from "zod";
import { atomicList, count, int32, int64, port } from "../field.ts";
import { portReference } from "../int-or-string.ts";
import { problem, requireOneOf } from "../problem.ts";

const execAction = z
  .strictObject({
    command: z
      .array(z.string())
      .min(1, "Required value")
      .meta({ proto: 1, ...atomicList, description: "Run as it is, without a shell." }),
  })
  .meta({ title: "core.v1.ExecAction" });

const httpGetAction = z
  .strictObject({
    path: z.string().default("/").meta({ proto: 1 }),
    port: portReference.meta({ proto: 2 }),
    host: z.string().optional().meta({ proto: 3, description: "The pod's address when absent." }),
    scheme: z.enum(["HTTP", "HTTPS"]).default("HTTP").meta({ proto: 4 }),
    httpHeaders: z
      .array(
        z
          .strictObject({
            name: z
              .string()
              .regex(/^[-A-Za-z0-9!#$%&'*+.^_`|~]+$/, "must be a valid HTTP header name")
              .meta({ proto: 1 }),
            value: z.string().default("").meta({ proto: 2 }),
          })
          .meta({ title: "core.v1.HTTPHeader" }),
      )
      .optional()
      .meta({ proto: 5, ...atomicList }),
  })
  .meta({ title: "core.v1.HTTPGetAction" });

const tcpSocketAction = z
  .strictObject({
    port: portReference.meta({ proto: 1 }),
    host: z.string().optional().meta({ proto: 2 }),
  })
  .meta({ title: "core.v1.TCPSocketAction" });

const grpcAction = z
  .strictObject({
    port: port.meta({ proto: 1 }),
    service: z.string().default("").meta({ proto: 2 }),
  })
  .meta({ title: "core.v1.GRPCAction" });

const probeFields = {
  exec: execAction.optional().meta({ proto: [1, 1] }),
  httpGet: httpGetAction.optional().meta({ proto: [1, 2] }),
  tcpSocket: tcpSocketAction.optional().meta({ proto: [1, 3] }),
  grpc: grpcAction.optional().meta({ proto: [1, 4] }),
  initialDelaySeconds: count.optional().meta({ proto: 2 }),
  timeoutSeconds: int32.min(1).default(1).meta({ proto: 3 }),
  periodSeconds: int32.min(1).default(10).meta({ proto: 4 }),
  successThreshold: int32.min(1).default(1).meta({ proto: 5 }),
  failureThreshold: int32.min(1).default(3).meta({ proto: 6 }),
  terminationGracePeriodSeconds: int64.min(1).optional().meta({ proto: 7 }),
};

/** Of a readiness probe. */
export const probe = z
  .strictObject(probeFields)
  .superRefine((one, context) =>
    requireOneOf(context, one, ["exec", "httpGet", "tcpSocket", "grpc"], "a handler type"),
  )
  .meta({ title: "core.v1.Probe" });

/** Of a liveness or startup probe: one success is enough. */
export const restartingProbe = probe.superRefine(({ successThreshold }, context) => {
  if (successThreshold === 1) return;
  context.addIssue(
    problem("FieldValueInvalid", ["successThreshold"], `${successThreshold}: must be 1`),
  );
});

const lifecycleHandler = z
  .strictObject({
    exec: execAction.optional().meta({ proto: 1 }),
    httpGet: httpGetAction.optional().meta({ proto: 2 }),
    tcpSocket: tcpSocketAction.optional().meta({ proto: 3 }),
    sleep: z
      .strictObject({ seconds: int64.min(0).meta({ proto: 1 }) })
      .meta({ title: "core.v1.SleepAction" })
      .optional()
      .meta({ proto: 4 }),
  })
  .superRefine((one, context) =>
    requireOneOf(context, one, ["exec", "httpGet", "tcpSocket", "sleep"], "a handler type"),
  )
  .meta({ title: "core.v1.LifecycleHandler" });

export const lifecycle = z
  .strictObject({
    postStart: lifecycleHandler.optional().meta({ proto: 1 }),
    preStop: lifecycleHandler.optional().meta({ proto: 2 }),
    stopSignal: z.string().optional().meta({ proto: 3 }),
  })
  .meta({ title: "core.v1.Lifecycle" });
