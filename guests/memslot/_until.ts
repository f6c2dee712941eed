/** Waits until something holds that a running guest does, but not longer than half a second. */
export async function until(holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 500 && !holds(); attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
