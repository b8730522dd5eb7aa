type Annotated = {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> | undefined };
};

/** One that a kubelet runs from a file of its own: it only shows it. */
export const isStatic = ({ metadata }: Annotated): boolean =>
  (metadata.annotations?.["kubernetes.io/config.mirror"] ?? "") !== "";
