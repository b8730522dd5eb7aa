/** A webhook must be asked before an object can be had in a version: ask, then do it again. */
export class ConversionPending extends Error {
  override readonly name = "ConversionPending";
  /** @throws {ApiError} when the webhook gives no usable answer */
  readonly settle: () => Promise<void>;

  constructor(settle: () => Promise<void>) {
    super("the object is not converted yet");
    this.settle = settle;
  }
}

/** Conversions that one reply or decision may have to wait for, one after the other. */
const roundsMax = 10;

/** Runs `run` until no conversion is missing. @throws {ApiError} as conversions do */
export async function whenConverted<T>(run: () => T): Promise<T> {
  for (let round = 1; ; round += 1) {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof ConversionPending) || round === roundsMax) throw error;
      await error.settle();
    }
  }
}
