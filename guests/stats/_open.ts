import type { DriveContext, Statistics } from "../../mod.ts";

/** Whose statistics a case looks at. */
export type Owner = "vm" | "vcpu";

/** The statistics of the case's VM or vCPU. */
export function open({ vm, vcpu }: Pick<DriveContext, "vm" | "vcpu">, owner: Owner): Statistics {
  return owner === "vm" ? vm.statistics() : vcpu.statistics();
}
