import { serviceRangeName } from "../../../libs/admission/prepare-address.ts";
import { serviceCidr } from "../../../libs/model/kinds/servicecidr.ts";
import { controller, type Newborn } from "../controller.ts";

/** The range of Services, there without being asked for: it shows a setting of the cluster. */
export const serviceCidrs = controller({
  kind: serviceCidr,
  owns: [],
  read: () => undefined,
  decide: ({ status }) => ({ writes: [], status, wakeAt: undefined, events: [] }),
  missing: {
    names: [serviceRangeName],
    make(name, _view, { settings }) {
      if (name !== serviceRangeName) return undefined;
      const born: Newborn & { readonly spec: object } = {
        apiVersion: "networking.k8s.io/v1",
        kind: "ServiceCIDR",
        metadata: { name },
        spec: { cidrs: [settings.serviceCIDR] },
      };
      return born;
    },
  },
});
