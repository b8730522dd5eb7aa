/** The ConfigMap that tells a namespace's pods whom to trust as the cluster's API. */
export const rootCertificates = "kube-root-ca.crt";
export const certificateFile = "ca.crt";
