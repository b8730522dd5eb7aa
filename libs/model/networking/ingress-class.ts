/** Marks the class of Ingresses that name none. */
const annotation = "ingressclass.kubernetes.io/is-default-class";

type Annotated = {
  readonly metadata: {
    readonly annotations?: Readonly<Record<string, string>> | undefined;
  };
};

export const isDefaultIngressClass = ({ metadata }: Annotated): boolean =>
  metadata.annotations?.[annotation] === "true";
