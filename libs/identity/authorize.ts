/** What a user may do. Whoever is authenticated may do everything. */
type User = { readonly username: string; readonly groups: readonly string[] };
export type Verdict = { readonly allowed: boolean; readonly reason: string };

/** Of who says nothing of itself. */
export const anonymousName = "system:anonymous";
export const unauthenticatedGroup = "system:unauthenticated";

export function authorize({ username, groups }: User): Verdict {
  const isNobody = username === anonymousName || groups.includes(unauthenticatedGroup);
  return isNobody
    ? { allowed: false, reason: "anonymous requests are answered by what is open to all" }
    : { allowed: true, reason: "whoever is authenticated may do everything" };
}
