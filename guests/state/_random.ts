/** A stream of 64-bit numbers that a seed fixes (SplitMix64). */
export class Random {
  #state: bigint;

  constructor(seed: number) {
    this.#state = BigInt(seed);
  }

  /** The next number, its low `bits`. */
  next(bits = 64): bigint {
    const mask = 0xffffffffffffffffn;
    this.#state = this.#state + 0x9e3779b97f4a7c15n & mask;
    let value = this.#state;
    value = (value ^ value >> 30n) * 0xbf58476d1ce4e5b9n & mask;
    value = (value ^ value >> 27n) * 0x94d049bb133111ebn & mask;
    return BigInt.asUintN(bits, value ^ value >> 31n);
  }

  /** A number of at most 32 bits. */
  number(bits: number): number {
    return Number(this.next(bits));
  }

  /** A canonical address of 48 bits (SDM 1 3.3.7.1). */
  canonical(): bigint {
    return BigInt.asUintN(64, BigInt.asIntN(48, this.next(48)));
  }

  /** Some of the bits of a mask. */
  some(mask: bigint): bigint {
    return this.next() & mask;
  }

  bytes(size: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length: size }, () => this.number(8));
  }
}
