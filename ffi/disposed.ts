/** Thrown when something is used after it was disposed. */
export class DisposedError extends Error {
  /** The class's name. */
  override readonly name = "DisposedError";

  /**
   * Says what was used.
   *
   * @param what the kind of the object, such as `"Vcpu"`
   */
  constructor(readonly what: string) {
    super(`this ${what} was disposed: make a new one, or use it inside the scope of its \`using\``);
  }
}
