/** A guest to which KVM is Xen, with event channels of two levels. */

import type { DriveContext, Requirement } from "../../mod.ts";

/** What a host must have for it: KVM_XEN_HVM_CONFIG_EVTCHN_SEND (bit 5). */
export const requires: readonly Requirement[] = [{ capability: "KVM_CAP_XEN_HVM", atLeast: 0x20 }];

/** Where the shared page lies and where its guest's vcpu_info does. */
export const SHARED = 0xb000, VCPU_INFO = 0xc000;

/** Offsets in the shared page, by the width of the guest's structures. */
export const layouts = {
  64: { pending: 0x800, mask: 0xa00, clock: 0xc00, ports: 4096, selector: 8 },
  32: { pending: 0x800, mask: 0x880, clock: 0x900, ports: 1024, selector: 4 },
} as const;

/** Which of them a guest has. */
export type Width = keyof typeof layouts;

/**
 * Switches hypercalls, event channels and the shared structures on: INTERCEPT_HCALL and EVTCHN_SEND
 * of KVM_XEN_HVM_CONFIG.
 */
export function becomeXen({ vm, vcpu }: DriveContext, width: Width = 64): void {
  vm.xen.setConfig({ flags: 0x22, msr: 0x40000200 });
  vm.xen.setAttribute("long-mode", { long_mode: width === 64 ? 1 : 0 });
  vm.xen.setAttribute("shared-info", { shared_info: { gfn: BigInt(SHARED >> 12) } });
  vcpu.xen.setAttribute("vcpu-info", { gpa: BigInt(VCPU_INFO) });
}

/** What that records. */
export const became = `
  > xen-config flags=0x22
  > set-xen long-mode
  > set-xen shared-info
  > set-xen-vcpu vcpu-info
`;

/**
 * What KVM writes of the time: the wall clock of the shared page, whose seconds have 32 bits until
 * 2106, and the vCPU's clock.
 */
export function clocks(width: Width = 64): string {
  const high = width === 64 ? 0xc0c : 0x924;
  return `
    = mem 0x${(SHARED + layouts[width].clock).toString(16)} u32 [0x2 * *]
    = mem 0x${(SHARED + high).toString(16)} u32 0x0
    = mem 0x${(VCPU_INFO + 0x20).toString(16)} u32 [* * * * * * * *]
  `;
}

/** A port that was raised: its bit, and the selector and upcall of the vCPU unless it is masked. */
export function raised(port: number, width: Width = 64, told = true): string {
  const { pending, selector } = layouts[width];
  const at = SHARED + pending + (port >> 3);
  const word = Math.floor(port / width);
  return `
    = mem 0x${at.toString(16)} u8 0x${(1 << (port & 7)).toString(16)}
    ${
    told
      ? `= mem 0x${(VCPU_INFO + selector + (word >> 3)).toString(16)} u8 0x${
        (1 << (word & 7)).toString(16)
      }`
      : ""
  }
  `;
}

/**
 * Puts out what of an upcall is there (an interrupt that waits, the flag), then hears it: with
 * RSI the local APIC, and a handler that counts in EBX.
 *
 * @param vector whose vector it is that tells of the upcall
 */
export function hearUpcall(vector: "vm" | "vcpu" | undefined): string {
  return `
    mov eax, [rsi + 0x230]
    out 0x11, eax
    movzx eax, byte [${VCPU_INFO}]
    out 0x12, eax
    push 0x202
    popfq
    nop
    cli
    xor eax, eax
    mov byte [${VCPU_INFO}], al
    out 0xf4, al
    handler:
    inc ebx
    mov byte [${VCPU_INFO}], 0
    ${vector === "vcpu" ? "mov dword [rsi + 0xb0], 0" : ""}
    iretq
  `;
}
