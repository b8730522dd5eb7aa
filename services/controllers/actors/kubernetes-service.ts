import { apiAddressIn } from "../../../libs/model/address-range.ts";
import { apiService } from "../../../libs/model/api-service.ts";
import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { service } from "../../../libs/model/kinds/service.ts";
import { controller, type Newborn } from "../controller.ts";

const standing = `${apiService.namespace}/${apiService.name}`;

/** The cluster's API as pods reach it; the gateways say where they are. */
export const kubernetesService = controller({
  kind: service,
  name: "services-kubernetes",
  owns: [],
  read: () => undefined,
  decide: ({ status }) => ({ writes: [], status, wakeAt: undefined, events: [] }),
  missing: {
    names: [standing],
    make(name, view, { settings }) {
      const home = view.get(namespace, undefined, apiService.namespace);
      // One of that name elsewhere is no business of ours; the namespace comes by itself.
      const isThere = view.get(service, apiService.namespace, name) !== undefined;
      if (name !== apiService.name || home === undefined || isThere) return undefined;
      const address = apiAddressIn(settings.serviceCIDR);
      const { labels, namespace: of } = apiService;
      const metadata = { name, namespace: of, labels };
      const born: Newborn & { readonly spec: object } = {
        apiVersion: "v1",
        kind: "Service",
        metadata,
        spec: {
          type: "ClusterIP",
          clusterIP: address,
          clusterIPs: [address],
          ports: [
            {
              name: apiService.portName,
              port: apiService.port,
              protocol: "TCP",
              targetPort: 6443,
            },
          ],
        },
      };
      return born;
    },
  },
});
