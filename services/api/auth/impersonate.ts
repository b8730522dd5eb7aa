/** `Impersonate-*`: who asks in another's name (`kubectl --as`). */
import { unauthenticatedGroup } from "../../../libs/identity/authorize.ts";
import type { IncomingMessage } from "node:http";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Authenticate } from "./authenticate.ts";
import { anonymous, authenticatedGroup, groupsOfAccount, type UserInfo } from "./user.ts";

const prefix = "impersonate-";
const extraPrefix = "impersonate-extra-";

/** Whoever is authenticated may be anybody, until rules say otherwise. */
export function impersonating(authenticate: Authenticate): Authenticate {
  return async (request) => {
    const user = await authenticate(request);
    return user === undefined ? undefined : (impersonatedIn(request) ?? user);
  };
}

/** @throws {ApiError} BadRequest for somebody's group, uid or extra without the somebody */
export function impersonatedIn({
  rawHeaders,
}: Pick<IncomingMessage, "rawHeaders">): UserInfo | undefined {
  const given = headersOf(rawHeaders);
  if (given.size === 0) return undefined;
  const [username = ""] = given.get("impersonate-user") ?? [];
  if (username === "") {
    throw new ApiError(
      "BadRequest",
      `requested ${[...given.keys()].join(", ")} without impersonating a user`,
    );
  }
  const [uid = ""] = given.get("impersonate-uid") ?? [];
  const extra = [...given]
    .filter(([name]) => name.startsWith(extraPrefix))
    .map(([name, values]) => [decoded(name.slice(extraPrefix.length)), values] as const);
  return {
    username,
    ...(uid !== "" && { uid }),
    groups: groupsOf(username, given.get("impersonate-group") ?? []),
    ...(extra.length > 0 && { extra: Object.fromEntries(extra) }),
  };
}

function groupsOf(username: string, asked: readonly string[]): readonly string[] {
  if (username === anonymous.username) return unique([...asked, unauthenticatedGroup]);
  const account = /^system:serviceaccount:([^:]+):[^:]+$/.exec(username)?.[1];
  const own = asked.length === 0 && account !== undefined ? groupsOfAccount(account) : asked;
  return own.includes(unauthenticatedGroup) ? own : unique([...own, authenticatedGroup]);
}

const unique = (groups: readonly string[]) => [...new Set(groups)];

/** Those that begin with `Impersonate-`, in lower case: a name that comes twice has both values. */
function headersOf(raw: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name = "", value = ""] = raw.slice(at, at + 2);
    const key = name.toLowerCase();
    if (!key.startsWith(prefix)) continue;
    found.set(key, [...(found.get(key) ?? []), value]);
  }
  return found;
}

/** Clients write what a header's name cannot hold as `%XX`. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // No such escape: it is meant as it is.
  }
}
