import { priorityClass, type PriorityClass } from "../../../libs/model/kinds/priorityclass.ts";
import { systemClasses } from "../../../libs/model/pod/priority.ts";
import { controller, type Decision } from "../controller.ts";

const nothing: Decision<never, PriorityClass> = {
  writes: [],
  status: undefined,
  wakeAt: undefined,
  events: [],
};

/** Classes for what the cluster itself needs are there without being asked for, and come back. */
export const priorityClasses = controller({
  kind: priorityClass,
  owns: [],
  read: () => ({}),
  decide: () => nothing,
  missing: {
    names: systemClasses.map(({ name }) => name),
    make(name) {
      const found = systemClasses.find((one) => one.name === name);
      if (found === undefined) return undefined;
      const { value, description } = found;
      const head = { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass" };
      return { ...head, metadata: { name }, value, description };
    },
  },
});
