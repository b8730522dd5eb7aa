/** What a user may do. Whoever is authenticated may do everything. */
import { unauthenticatedGroup, anonymous, type UserInfo } from "./user.ts";

export type Verdict = { readonly allowed: boolean; readonly reason: string };

export function authorize({ username, groups }: UserInfo): Verdict {
  const isNobody = username === anonymous.username || groups.includes(unauthenticatedGroup);
  return isNobody
    ? { allowed: false, reason: "anonymous requests are answered by what is open to all" }
    : { allowed: true, reason: "whoever is authenticated may do everything" };
}
