import { deployment } from "../../libs/model/kinds/deployment.ts";
import type { User } from "./user.ts";

const replicasMax = 5;

/** Each Deployment is to have one pod more, all at once, so that there is something to place. */
export async function scaleOut(user: User): Promise<void> {
  const small = user.list(deployment).filter(({ spec }) => spec.replicas < replicasMax);
  await Promise.all(
    small.map(({ metadata, spec }) =>
      user.change(deployment, metadata, (one) => ({
        ...one,
        spec: { ...one.spec, replicas: spec.replicas + 1 },
      })),
    ),
  );
}
