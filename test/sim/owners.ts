/** Who controls an object. */
type Owned = {
  readonly metadata: {
    readonly ownerReferences?:
      | readonly {
          readonly uid: string;
          readonly kind: string;
          readonly name: string;
          readonly controller?: boolean | undefined;
        }[]
      | undefined;
  };
};

const controllerOf = ({ metadata }: Owned) =>
  metadata.ownerReferences?.find(({ controller }) => controller === true);

/** The uid of the object's controller; empty when it has none. */
export const controllerUidOf = (object: Owned): string => controllerOf(object)?.uid ?? "";

/** The name of its controller, if that is of the kind. */
export const controllerNamed = (object: Owned, kind: string): string | undefined => {
  const found = controllerOf(object);
  return found?.kind === kind ? found.name : undefined;
};
