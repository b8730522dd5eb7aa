/** Who sends a request, as the first of several ways to prove it says. */
import type { IncomingMessage } from "node:http";
import type { UserInfo } from "./user.ts";

/** Undefined: the client does not prove to be anybody, 401. @throws {ApiError} */
export type Authenticate = (request: IncomingMessage) => Promise<UserInfo | undefined>;

/** The first of `ways` that knows the client. */
export function firstOf(ways: readonly Authenticate[]): Authenticate {
  return async (request) => {
    for (const way of ways) {
      const user = await way(request);
      if (user !== undefined) return user;
    }
    return undefined;
  };
}
