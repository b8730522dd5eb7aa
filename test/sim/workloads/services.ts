import { service } from "../../../libs/model/kinds/service.ts";
import { type Act, type Chance, namespaceOf, workload } from "../workload.ts";

/** Services that come and go: their addresses and node ports are few, so that gateways want the same. */
export const services = workload({ name: "services", weight: 2, draw });

function draw(chance: Chance): Act {
  const metadata = { name: `extra-${chance.between(1, 4)}`, namespace: namespaceOf(chance) };
  if (chance.is(0.3)) {
    return {
      what: `delete service ${metadata.name}`,
      run: (user) => user.remove(service, metadata),
    };
  }
  const manifest = {
    metadata,
    spec: { type: "NodePort", selector: { app: "web" }, ports: [{ port: 80 }] },
  };
  return { what: `service ${metadata.name}`, run: (user) => user.create(service, manifest) };
}
