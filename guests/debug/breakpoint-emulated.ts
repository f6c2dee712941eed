import { asm, defineCases } from "../../mod.ts";
import { ways } from "../_ways.ts";

/** DR7, which register has the address, and what DR6 then says; without it nothing stops. */
const rows = {
  "dr0-local": { register: 0, dr7: 0x401n, dr6: 0xffff0ff1 },
  "dr0-global": { register: 0, dr7: 0x402n, dr6: 0xffff0ff1 },
  "dr1": { register: 1, dr7: 0x404n, dr6: 0xffff0ff2 },
  "dr2": { register: 2, dr7: 0x420n, dr6: 0xffff0ff4 },
  "dr3": { register: 3, dr7: 0x440n, dr6: 0xffff0ff8 },
  "of-two": { register: 1, dr7: 0x405n, dr6: 0xffff0ff2 },
  // L0 is clear, L1 and its register are elsewhere; R/W0 asks for writes, for any access.
  "disabled": { register: 0, dr7: 0x404n },
  "writes": { register: 0, dr7: 0x10401n },
  "accesses": { register: 0, dr7: 0x30401n },
} satisfies Record<string, { register: number; dr7: bigint; dr6?: number }>;

/** The host's breakpoint stops a guest before an instruction that KVM emulates too. */
export default defineCases(
  "debug/breakpoint-emulated",
  rows,
  ({ register, dr7, dr6 }: { register: number; dr7: bigint; dr6?: number }) => ({
    spec: [
      "KVM API 4.87: KVM_SET_GUEST_DEBUG (KVM_GUESTDBG_USE_HW_BP)",
      "SDM 3B 18.2.4: debug control register (DR7)",
    ],
    mode: "long",
    requires: ["KVM_CAP_SET_GUEST_DEBUG", ...ways["-forced"].requires],
    guest: asm`
      add al, 1
      jmp far_out
      times 0x700 db 0x90         ; QEMU may leave it armed: no other guest has code out there
      far_out:
      ${ways["-forced"].prefix}
      stop:
      add al, 2
      behind:
      add al, 4
      out 0xf4, al
    `,
    drive({ run, vcpu, labels }) {
      // The registers that no breakpoint is to hit are where nothing is run.
      const addresses = [0xffff0000n, 0xffff0000n, 0xffff0000n, 0xffff0000n];
      addresses[register] = labels.get("stop")!;
      vcpu.setGuestDebug({ hardwareBreakpoints: { addresses, dr7 } });
      run();
      vcpu.setGuestDebug({});
    },
    trace: ({ stop }) => `
      > guest-debug hardware-breakpoints
      ${
      dr6 === undefined
        ? "pio out 0xf4 u8 0x7"
        : `debug exception=0x1 rip=${stop} dr6=0x${dr6.toString(16)}`
    }
      > guest-debug off
      ${dr6 === undefined ? "" : "pio out 0xf4 u8 0x7"}
      = rax 0x7
      = rflags 0x2
    `,
  }),
);
