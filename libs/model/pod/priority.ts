/** Classes of pods that the cluster itself needs; they are there in every cluster. */
export const systemClasses = [
  {
    name: "system-node-critical",
    value: 2_000_001_000,
    description: "Used for system critical pods that must not be moved from their current node.",
  },
  {
    name: "system-cluster-critical",
    value: 2_000_000_000,
    description:
      "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  },
] as const;

/** What users' own classes may reach. */
export const userPriorityMax = 1_000_000_000;
