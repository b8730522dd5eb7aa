/** The format of the state: what there is to do where it was written in an older one. */
import { service } from "../model/kinds/service.ts";
import type { Op, Store } from "../store/store.ts";
import { addressClaim, addressKey } from "./address-claim.ts";
import { formatKey } from "./key.ts";
import type { ClusterView } from "./view.ts";

/**
 * What this code reads and writes; a newer one is refused.
 *
 * | format | since |
 * |---|---|
 * | 1 | the beginning |
 * | 2 | a Service's addresses are claimed by their IPAddresses, not by `alloc.cluster-ip.…` |
 */
export const format = 2;

const oldClaims = "alloc.cluster-ip.";

/**
 * Makes the state one of this format. Of several instances that do so at once each step is done by one;
 * who is interrupted begins again at its next start.
 */
export async function migrate(store: Store, view: ClusterView): Promise<void> {
  const found = view.raw.get(formatKey);
  if (found === undefined || Number(found.value) >= format) return;
  const claims = Array.from(view.raw.scan(oldClaims)); // They go while they are looked at.
  for (const { key, value, revision } of claims) {
    await store.commit(claimedAnew(view, { key, value, revision }));
  }
  const value = new TextEncoder().encode(JSON.stringify(format));
  await store.commit([{ op: "put", key: formatKey, expect: found.revision, value }]);
}

type Claim = { readonly key: string; readonly value: unknown; readonly revision: number };

function claimedAnew(view: ClusterView, { key, value, revision }: Claim): readonly Op[] {
  const encode = (one: unknown) => new TextEncoder().encode(JSON.stringify(one));
  const { namespace, name = "" } = value as { namespace?: string; name?: string }; // As format 1 wrote it.
  const owner = view.get(service, namespace, name);
  const addresses = (owner?.spec.clusterIPs ?? []).filter(
    (address) => key === `${oldClaims}${address.replaceAll(".", "/")}`,
  );
  return [
    { op: "delete", key, expect: revision, last: encode(value) },
    ...addresses
      .filter((address) => view.raw.get(addressKey(address)) === undefined)
      .map((address): Op => ({
        op: "put",
        key: addressKey(address),
        expect: "absent",
        value: encode(addressClaim(owner ?? { metadata: {} }, address)),
      })),
  ];
}
