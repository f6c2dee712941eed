import { asm, defineCases } from "../../mod.ts";

const rows = {
  "0": { cr8: 0n, taken: true },
  "1": { cr8: 1n, taken: true },
  "15": { cr8: 15n, taken: true },
  // Bits 63:4 are reserved.
  "16": { cr8: 16n, taken: false },
  "bit-32": { cr8: 1n << 32n, taken: false },
  "bit-63": { cr8: 1n << 63n | 3n, taken: false },
};

/** Without a local APIC in the kernel the guest's CR8 is the one that the host gives at each run. */
export default defineCases("exit/run-cr8", rows, ({ cr8, taken }) => ({
  spec: ["KVM API 5: struct kvm_run, cr8", "SDM 3A 11.8.6: CR8 (bits 63:4 reserved)"],
  mode: "long",
  registers: { rsi: 9n },
  guest: asm`
    mov cr8, rsi
    out 0x10, al
    mov rbx, cr8
    hlt
  `,
  drive: ({ run, vcpu, attempt, assertEquals }) => {
    run();
    assertEquals("CR8 of the guest", [vcpu.cr8, vcpu.sregs().cr8], [9n, 9n]);
    vcpu.cr8 = cr8;
    if (!taken) {
      attempt(run);
      vcpu.cr8 = 4n;
    }
    run();
    const now = taken ? cr8 : 4n;
    assertEquals("CR8 as the host gave it", [vcpu.cr8, vcpu.sregs().cr8], [now, now]);
  },
  trace: `
    pio out 0x10 u8 0x0
    > cr8 0x${cr8.toString(16)}
    ${taken ? "" : "> run -> EINVAL\n> cr8 0x4"}
    hlt
    = rbx 0x${(taken ? cr8 : 4n).toString(16)}
    = cr8 0x${(taken ? cr8 : 4n).toString(16)}
  `,
}));
