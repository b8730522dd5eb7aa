/** Who asks: `authentication.k8s.io/v1` UserInfo. */
export type UserInfo = {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
};

/** Who holds the gateway's own token. */
export const administrator: UserInfo = {
  username: "kubernetes-admin",
  groups: ["system:masters", "system:authenticated"],
};

/** Who publishes manifests and requests over NATS: whoever may, in the control plane's account. */
export const overNats: UserInfo = {
  username: "system:nats",
  groups: ["system:masters", "system:authenticated"],
};

/** Who says nothing of itself; only what is open to all answers. */
export const anonymous: UserInfo = {
  username: "system:anonymous",
  groups: ["system:unauthenticated"],
};
