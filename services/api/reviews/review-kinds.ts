/** Questions that are answered and not stored. */
export const reviewResources = [
  {
    group: "authentication.k8s.io",
    version: "v1",
    kind: "SelfSubjectReview",
    name: "selfsubjectreviews",
  },
  {
    group: "authorization.k8s.io",
    version: "v1",
    kind: "SelfSubjectAccessReview",
    name: "selfsubjectaccessreviews",
  },
  {
    group: "authorization.k8s.io",
    version: "v1",
    kind: "SelfSubjectRulesReview",
    name: "selfsubjectrulesreviews",
  },
] as const;
