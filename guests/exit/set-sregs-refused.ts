import { asm, defineCases } from "../../mod.ts";

const rows = {
  "cr0-paging-without-protection": { cr0: 0x80000030n },
  "cr0-write-through-without-cache-disable": { cr0: 0xa0010031n },
  "cr0-high-half": { cr0: 0x180010031n },
  "cr4-reserved": { cr4: 0x8020n },
  "cr4-reserved-high": { cr4: 0x8000000000000020n },
  // Long mode is active and PAE off, which no CPU can be.
  "cr4-pae-off": { cr4: 0x0n },
  // Paging is on with LME, but LMA is off.
  "efer-without-lma": { efer: 0x900n },
  "cr3-beyond-physical": { cr3: 0x20000000010000n },
} as const;

/** KVM_SET_SREGS refuses special registers that no CPU can have, and leaves the guest's alone. */
export default defineCases("exit/set-sregs-refused", rows, (change) => ({
  spec: ["KVM API 4.14: KVM_SET_SREGS", "SDM 3A 2.5: control registers", "SDM 3A 2.2.1: EFER"],
  mode: "long",
  guest: asm`
    mov al, 0x21
    hlt
  `,
  drive: ({ vcpu, attempt, assertEquals }) => {
    const before = vcpu.sregs();
    attempt(() => vcpu.setSregs({ ...before, ...change }));
    assertEquals("KVM_GET_SREGS after the refusal", vcpu.sregs(), before);
  },
  trace: `
    > set-sregs -> EINVAL
    hlt
    = rax 0x21
  `,
}));
