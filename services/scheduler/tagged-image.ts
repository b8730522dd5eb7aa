/** An image's name as nodes report it: one without tag or digest means `latest`. */
export const taggedImage = (name: string): string =>
  name.lastIndexOf(":") > name.lastIndexOf("/") ? name : `${name}:latest`;
