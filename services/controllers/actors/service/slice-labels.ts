/** Labels by which slices, Services and their controllers find each other. */
export const serviceLabel = "kubernetes.io/service-name";
export const managedLabel = "endpointslice.kubernetes.io/managed-by";
export const skipMirrorLabel = "endpointslice.kubernetes.io/skip-mirror";
export const headlessLabel = "service.kubernetes.io/headless";
/** Who makes the slices of Services that select pods. */
export const sliceController = "endpointslice-controller.berth.dev";
/** Who mirrors Endpoints; clients know Kubernetes' name of it. */
export const mirroringController = "endpointslicemirroring-controller.k8s.io";
