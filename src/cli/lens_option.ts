import { isLensName, type LensName, lensNames } from "../suite/lens.ts";
import type { Arguments } from "./arguments.ts";

/** What `--help` says of the lens. */
export const lensHelp =
  `  --lens LENS        what the host does between two exits that no guest must notice: restore
                     (save the VM, destroy it, restore into a new one) or sync-regs (registers
                     through the shared area only); every trace must stay the same`;

/**
 * The lens that cases run under, if one is given.
 *
 * @throws {CommandError} when there is none of that name.
 */
export function readLens(options: Arguments): LensName | undefined {
  const name = options.value("lens");
  if (name === undefined || isLensName(name)) return name;
  throw options.usage(`--lens ${name} is no lens: ${lensNames.join(", ")}`);
}
