/** The Service that the cluster's API is to pods. */
export const apiService = {
  namespace: "default",
  name: "kubernetes",
  portName: "https",
  port: 443,
  labels: { component: "apiserver", provider: "kubernetes" },
} as const;

/** The names by which clients in pods call it, which its certificate must bear. */
export const apiNames = (domain: string): readonly string[] => [
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  `kubernetes.default.svc.${domain}`,
];
