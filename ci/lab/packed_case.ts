/** A case's line in the list that travels with the suite: its guest as it was assembled. */
export type PackedCase =
  & { readonly id: string; readonly file: string }
  & ({
    /** Operand size that the guest starts with. */
    readonly bits: 16 | 32 | 64;
    readonly origin: number;
    readonly bytes: readonly number[];
    /** Labels, with their addresses in decimal digits. */
    readonly symbols: readonly (readonly [name: string, address: string])[];
  } | {
    /** Why it could not be assembled. */
    readonly error: string;
  });
