import { anonymousName, unauthenticatedGroup } from "../../../libs/identity/authorize.ts";

/** Who asks: `authentication.k8s.io/v1` UserInfo. */
export type UserInfo = {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
};

/** Of everybody who proves to be somebody. */
export const authenticatedGroup = "system:authenticated";
export const accountsGroup = "system:serviceaccounts";

/** Names, in a user's extra, the token or certificate that was shown. */
export const credentialId = "authentication.kubernetes.io/credential-id";

/** Who holds the gateway's own token. */
export const administrator: UserInfo = {
  username: "kubernetes-admin",
  groups: ["system:masters", authenticatedGroup],
};

/** Who publishes manifests and requests over NATS: whoever may, in the control plane's account. */
export const overNats: UserInfo = {
  username: "system:nats",
  groups: ["system:masters", authenticatedGroup],
};

/** Who says nothing of itself; only what is open to all answers. */
export const anonymous: UserInfo = {
  username: anonymousName,
  groups: [unauthenticatedGroup],
};

/** The groups of a ServiceAccount of the namespace, beside that of everybody. */
export const groupsOfAccount = (namespace: string): readonly string[] => [
  accountsGroup,
  `${accountsGroup}:${namespace}`,
];
