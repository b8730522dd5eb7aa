/**
 * `pods/<name>/explain`: why a pod is where it is, or is nowhere; and, of a manifest, where the pod that it
 * makes would go. Nothing is written.
 */
import { NoResponders, RemoteFailure, RequestTimeout } from "../../../libs/bus/bus.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import {
  explainReply,
  type ExplainReply,
  type ExplainRequest,
  type Explanation,
} from "../../../libs/protocol/explain.ts";
import { readMessage } from "../../../libs/protocol/read-message.ts";
import { explainSubject } from "../../../libs/protocol/subjects.ts";
import { negotiateType } from "../http/accept.ts";
import { decodeBody } from "../http/decode.ts";
import { writeOptionsOf } from "../http/query.ts";
import { type Reply, textReply, valueReply } from "../http/reply.ts";
import type { Exchange } from "../http/server.ts";
import { isRecord, type JsonRecord } from "../patch/record.ts";
import { createObject } from "../resources/change.ts";
import type { Gateway } from "../resources/gateway.ts";
import { readObject } from "../resources/read.ts";

const answerMs = 5_000;

/** @throws {ApiError} NotFound, Timeout when no scheduler answers */
export async function explainPod(gateway: Gateway, kind: Kind, exchange: Exchange): Promise<Reply> {
  const { namespace = "", name = "" } = exchange.params;
  const backend = gateway.backendFor(kind);
  await readObject(backend, { kind, namespace, name }, undefined);
  const { revision } = backend.view;
  return shown(exchange, await ask(gateway, { revision, namespace, name }));
}

/**
 * The body is a Pod, or anything that pods are made of; its pod goes through admission as it would when
 * it is created.
 *
 * @throws {ApiError} as a dry run of the pod's creation does, but that what admission forbids is the answer
 */
export async function explainManifest(
  gateway: Gateway,
  kind: Kind,
  exchange: Exchange,
): Promise<Reply> {
  const { namespace = "", name = "" } = exchange.params;
  const manifest = podIn(await decodeBody(exchange.request, undefined), { namespace, name });
  const options = { ...writeOptionsOf(exchange), dryRun: true };
  try {
    const { object } = await createObject(gateway, { kind, namespace }, manifest, options);
    const { revision } = gateway.backendFor(kind).view;
    return shown(exchange, await ask(gateway, { revision, namespace, name, pod: { ...object } }));
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== "Forbidden") throw error;
    const message = `admission refuses it: ${error.message}`;
    const help = [
      "what forbids it has to change (a quota, a limit, a policy), or what the pod asks",
    ];
    const explanation: Explanation = { verdict: "not considered", message, help, nodes: [] };
    const text = `Pod ${namespace}/${name}: not considered\n  ${message}\n  ${help.join()}\n`;
    return shown(exchange, { explanation, text });
  }
}

function shown(exchange: Exchange, { explanation, text = "" }: ExplainReply): Reply {
  const { namespace, name = "" } = exchange.params;
  if (explanation === undefined) throw new ApiError("NotFound", `pods "${name}" not found`);
  const types = ["application/json", "text/plain"];
  if (negotiateType(exchange.request.headers.accept, types) === "text/plain")
    return textReply(text);
  const head = {
    apiVersion: "berth.dev/v1",
    kind: "PodExplanation",
    metadata: { name, namespace },
  };
  return valueReply({ ...head, ...explanation }, { language: "json" });
}

/** @throws {ApiError} Timeout when no scheduler answers in time, InternalError when one fails */
async function ask({ bus, log }: Gateway, asked: ExplainRequest): Promise<ExplainReply> {
  const data = new TextEncoder().encode(JSON.stringify(asked));
  try {
    const reply = readMessage(
      explainReply,
      await bus.request(explainSubject, data, { timeoutMs: answerMs }),
    );
    if (reply !== undefined) return reply;
    throw new ApiError("InternalError", "the scheduler's answer is not understood");
  } catch (error) {
    if (error instanceof NoResponders || error instanceof RequestTimeout) {
      const message = "Timeout: no scheduler answered in time why the pod is where it is";
      throw new ApiError("Timeout", message, { retryAfterSeconds: 1 }, { cause: error });
    }
    if (!(error instanceof RemoteFailure)) throw error;
    log.warn({ err: error }, "a scheduler could not explain a pod");
    throw new ApiError(
      "InternalError",
      `the scheduler failed: ${error.message}`,
      {},
      { cause: error },
    );
  }
}

/** The pod that a manifest makes, under the name that was asked about. @throws {ApiError} BadRequest */
function podIn(
  manifest: unknown,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): JsonRecord {
  const template = templateIn(manifest);
  if (template === undefined) {
    const message = "the body must be a Pod, or an object with a template of pods";
    throw new ApiError("BadRequest", message);
  }
  const { labels, annotations } = recordAt(template, "metadata") ?? {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace, name, labels, annotations },
    spec: template["spec"],
  };
}

/** The pod itself, `spec.template`, a CronJob's `spec.jobTemplate.spec.template` or a PodTemplate's `template`. */
function templateIn(manifest: unknown): JsonRecord | undefined {
  if (!isRecord(manifest)) return undefined;
  if (manifest["kind"] === "Pod") return manifest;
  const spec = recordAt(manifest, "spec") ?? {};
  const job = recordAt(recordAt(spec, "jobTemplate") ?? {}, "spec") ?? {};
  return recordAt(spec, "template") ?? recordAt(job, "template") ?? recordAt(manifest, "template");
}

function recordAt(of: JsonRecord, key: string): JsonRecord | undefined {
  const value = of[key];
  return isRecord(value) ? value : undefined;
}
