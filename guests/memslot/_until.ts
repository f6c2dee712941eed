/** Waiting for what a running guest does. */

import type { DriveContext } from "../../mod.ts";

/** Half a second, and more where a look takes longer. */
const ATTEMPTS = 500;

/**
 * Waits until something holds that a running guest does; where it does not in half a second, the
 * case fails.
 *
 * @param what what is waited for, in the words of the failure
 */
export async function until(
  { assertEquals }: Pick<DriveContext, "assertEquals">,
  what: string,
  holds: () => boolean,
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals(`${what} within ${ATTEMPTS} looks, a millisecond apart`, holds(), true);
}
