/** The functions of `@std/testing/mock` that this project uses. */

export interface SpyCall {
  args: unknown[];
  returned?: unknown;
  error?: Error;
  self?: unknown;
}
export interface Spy {
  calls: SpyCall[];
  restored: boolean;
  restore(): void;
}
export declare function spy<T extends (...args: never[]) => unknown>(func: T): T & Spy;
export declare function stub<T extends object, K extends keyof T>(
  self: T,
  property: K,
  func?: T[K],
): Spy & Disposable;
export declare function assertSpyCalls(spy: Spy, expectedCalls: number): void;
