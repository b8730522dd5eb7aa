import { ApiError } from "../../../libs/model/errors.ts";
import { type Backend, heldPrefix, type Target } from "../resources/backend.ts";
import type { Gateway } from "../resources/gateway.ts";
import { reach, revisionOf } from "../resources/read.ts";
import type { Selects } from "../resources/selectors.ts";
import type { Shown } from "../resources/show.ts";
import { runWatch, type WatchOptions } from "../watch/watch.ts";
import { mediaTypes } from "./accept.ts";
import { countOf, flagOf, textOf } from "./query.ts";
import type { Reply } from "./reply.ts";

/** A watch whose client names no time ends after this, or up to twice this: not all at once. */
const timeoutMs = 30 * 60_000;

/**
 * A watch as the query asks for it.
 *
 * | resourceVersion | sendInitialEvents | begins with |
 * |---|---|---|
 * | none, "0" | – | what is there, as ADDED |
 * | N | – | what came after N |
 * | none, "0", N | true | what is there (not older than N), then a bookmark that says so |
 *
 * @throws {ApiError} Invalid, BadRequest, Timeout
 */
export async function watchReply(
  gateway: Gateway,
  target: Omit<Target, "name">,
  {
    query,
    selects,
    shown,
  }: {
    readonly query: URLSearchParams;
    readonly selects: Selects;
    readonly shown: Shown;
  },
): Promise<Reply> {
  const backend = gateway.backendFor(target.kind);
  const { clock, random } = gateway.ports;
  const initial = flagOf(query, "sendInitialEvents");
  requireMatch(query, initial);
  const revision = revisionOf(textOf(query, "resourceVersion"));
  const seconds = countOf(query, "timeoutSeconds");
  const options: WatchOptions = {
    prefix: heldPrefix(target),
    selects,
    from: await beginning(backend, { revision, initial }),
    initialEventsEnd: initial,
    bookmarks: flagOf(query, "allowWatchBookmarks"),
    timeoutMs:
      seconds === undefined || seconds === 0 ? timeoutMs * (1 + random.next()) : seconds * 1_000,
  };
  return {
    type: "stream",
    contentType: watchType(shown),
    run: (out) => runWatch(backend, shown, options, { out, clock }),
  };
}

/** @throws {ApiError} NotAcceptable for YAML, which has no stream */
function watchType({ language }: Shown): string {
  if (language === "protobuf") return `${mediaTypes.protobuf};stream=watch`;
  if (language === "json") return mediaTypes.json;
  throw new ApiError(
    "NotAcceptable",
    `only the following media types are accepted: ${mediaTypes.json}, ${mediaTypes.protobuf}`,
  );
}

async function beginning(
  backend: Backend,
  { revision, initial }: { readonly revision: number | undefined; readonly initial: boolean },
): Promise<WatchOptions["from"]> {
  // Another gateway may have shown the client a revision that this one has yet to see.
  await reach(backend, revision);
  if (!initial && revision !== undefined && revision > 0) return { type: "after", revision };
  return { type: "state" };
}

function requireMatch(query: URLSearchParams, initial: boolean): void {
  const match = textOf(query, "resourceVersionMatch");
  if (initial && match !== "NotOlderThan") {
    throw invalid("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  }
  if (!query.has("sendInitialEvents") && match !== undefined) {
    throw invalid(
      "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
    );
  }
}

function invalid(message: string): ApiError {
  const cause = { reason: "FieldValueForbidden", field: "resourceVersionMatch", message };
  return new ApiError(
    "Invalid",
    `ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: ${message}`,
    {
      causes: [cause],
    },
  );
}
