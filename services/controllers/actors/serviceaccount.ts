import { namespace, type Namespace } from "../../../libs/model/kinds/namespace.ts";
import { serviceAccount, type ServiceAccount } from "../../../libs/model/kinds/serviceaccount.ts";
import { controller, create, type Decision } from "../controller.ts";

const name = "default";

export type World = { readonly account: ServiceAccount | undefined };

/** Every namespace has the account that its pods are by default. */
export function decide(
  { metadata, status }: Namespace,
  { account }: World,
): Decision<ServiceAccount, Namespace> {
  const isMissing = account === undefined && metadata.deletionTimestamp === undefined;
  const born = {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name, namespace: metadata.name },
  };
  return { writes: isMissing ? [create(born)] : [], status, wakeAt: undefined, events: [] };
}

export const serviceAccounts = controller({
  kind: namespace,
  name: "namespaces-accounts",
  owns: [serviceAccount],
  derivedNames: true, // The account's name is the same in every namespace (S2).
  read: (view, { metadata }): World => ({
    account: view.get(serviceAccount, metadata.name, name),
  }),
  decide,
  *concerns({ before, after }) {
    const gone = after === undefined ? before : undefined;
    if (gone?.kind === "ServiceAccount" && gone.metadata.name === name) {
      yield gone.metadata.namespace ?? "";
    }
  },
});
