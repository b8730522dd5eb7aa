import { type Backend, heldKey, heldPrefix, type Target } from "../resources/backend.ts";
import type { Gateway } from "../resources/gateway.ts";
import { requireWatchOptions, revisionOf } from "../resources/list-options.ts";
import { reach } from "../resources/read.ts";
import { nameSelected, type Selects } from "../resources/selectors.ts";
import type { Shown } from "../resources/show.ts";
import { runWatch, type WatchOptions } from "../watch/watch.ts";
import { flagOf, integerOf, textOf } from "./query.ts";
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
 * | N | false | what came after N |
 * | none, "0" | false | what comes from now on |
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
  requireWatchOptions(query);
  const initial = query.has("sendInitialEvents") ? flagOf(query, "sendInitialEvents") : undefined;
  const revision = revisionOf(textOf(query, "resourceVersion"));
  const seconds = integerOf(query, "timeoutSeconds");
  const bookmarks = flagOf(query, "allowWatchBookmarks");
  const options: WatchOptions = {
    prefix: watchedPrefix(target, nameSelected(query.get("fieldSelector") ?? "")),
    selects,
    from: await beginning(backend, { revision, initial }),
    initialEventsEnd: initial === true && bookmarks,
    bookmarks,
    timeoutMs:
      seconds === undefined || seconds <= 0 ? timeoutMs * (1 + random.next()) : seconds * 1_000,
  };
  return {
    type: "stream",
    contentType: "application/json",
    run: (out) => runWatch(backend, shown, options, { out, clock }),
  };
}

async function beginning(
  backend: Backend,
  {
    revision,
    initial,
  }: { readonly revision: number | undefined; readonly initial: boolean | undefined },
): Promise<WatchOptions["from"]> {
  // Another gateway may have shown the client a revision that this one has yet to see.
  await reach(backend, revision);
  if (initial === true || (initial === undefined && (revision ?? 0) === 0)) {
    return { type: "state" };
  }
  return { type: "after", revision: revision || backend.view.revision };
}

/** The keys of what is watched: of one object, where a selector names it. */
function watchedPrefix(target: Omit<Target, "name">, name: string | undefined): string {
  const isPlaced = !target.kind.namespaced || target.namespace !== undefined;
  return name === undefined || name === "" || !isPlaced
    ? heldPrefix(target)
    : heldKey({ ...target, name });
}
