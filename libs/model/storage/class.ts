/** What a StorageClass says of the claims and volumes that name it. */

/** Marks the class of claims that name none. */
const defaultAnnotation = "storageclass.kubernetes.io/is-default-class";
/** Volumes of such a class are made by hand. */
export const noProvisioner = "kubernetes.io/no-provisioner";

type Annotated = {
  readonly metadata: {
    readonly name: string;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
    readonly creationTimestamp?: string | undefined;
  };
};
type Topologies = {
  readonly allowedTopologies?:
    | readonly {
        readonly matchLabelExpressions?:
          | readonly { readonly key: string; readonly values: readonly string[] }[]
          | undefined;
      }[]
    | undefined;
};

export const isDefaultClass = ({ metadata }: Annotated): boolean =>
  metadata.annotations?.[defaultAnnotation] === "true";
export const asDefault = { [defaultAnnotation]: "true" };

/**
 * The class of claims that name none: of several the newest, then the first by name.
 *
 * @see https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass
 */
export const defaultClassOf = <C extends Annotated>(classes: readonly C[]): C | undefined =>
  classes.filter(isDefaultClass).toSorted(newestFirst)[0];

function newestFirst({ metadata: a }: Annotated, { metadata: b }: Annotated): number {
  const [one = "", other = ""] = [a.creationTimestamp, b.creationTimestamp];
  if (one !== other) return one > other ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

/** Its claims are bound once a pod that uses them has a node. */
export const waitsForConsumer = (
  one: { readonly volumeBindingMode: string } | undefined,
): boolean => one?.volumeBindingMode === "WaitForFirstConsumer";

/** Whether volumes of the class may be made on a node with such labels. */
export const allowsPlace = (
  { allowedTopologies = [] }: Topologies,
  labels: Readonly<Record<string, string>>,
): boolean =>
  allowedTopologies.length === 0 ||
  allowedTopologies.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(
      ({ key, values }) => Object.hasOwn(labels, key) && values.includes(labels[key] ?? ""),
    ),
  );
