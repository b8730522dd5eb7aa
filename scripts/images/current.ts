import type Docker from "dockerode";

/** Says what an image was made of, so that it is made again only when that has changed. */
export const sourceLabel = "berth.dev/source";

export async function isCurrent(docker: Docker, image: string, source: string): Promise<boolean> {
  try {
    const { Config } = await docker.getImage(image).inspect();
    return Config.Labels?.[sourceLabel] === source;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw error;
  }
}
