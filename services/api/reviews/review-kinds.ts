/** Questions that are answered and not stored. */
const authentication = {
  group: "authentication.k8s.io",
  version: "v1",
  namespaced: false,
} as const;
const authorization = { group: "authorization.k8s.io", version: "v1", namespaced: false } as const;

export const reviewResources = [
  { ...authentication, kind: "SelfSubjectReview", name: "selfsubjectreviews" },
  { ...authentication, kind: "TokenReview", name: "tokenreviews" },
  { ...authorization, kind: "SelfSubjectAccessReview", name: "selfsubjectaccessreviews" },
  { ...authorization, kind: "SelfSubjectRulesReview", name: "selfsubjectrulesreviews" },
  { ...authorization, kind: "SubjectAccessReview", name: "subjectaccessreviews" },
  {
    ...authorization,
    namespaced: true,
    kind: "LocalSubjectAccessReview",
    name: "localsubjectaccessreviews",
  },
] as const;

export type ReviewKind = (typeof reviewResources)[number]["kind"];
