import { asm, defineCase } from "../../mod.ts";

/**
 * With immediate_exit set, KVM_RUN hands out the rest of an access that it began and returns EINTR
 * only when the access is complete.
 *
 * The two frames are not neighbours, so the access has two exits, if not more.
 */
export default defineCase({
  id: "mmio/pending-two-pages",
  spec: ["KVM API 5: KVM_EXIT_MMIO (pending operations)", "KVM API 5: immediate_exit"],
  mode: "long",
  requires: ["KVM_CAP_IMMEDIATE_EXIT"],
  machine: {
    map: [
      { virtual: 0x30000, physical: 0xe0001000 },
      { virtual: 0x31000, physical: 0xd0000000 },
    ],
  },
  registers: { rdx: 0xd1d2d3d4d5d6d7d8n },
  guest: asm`
    mov rdx, [0x30ffd]
    behind:
    mov cl, 1
    hlt
  `,
  drive({ run, vcpu, labels, assertEquals }) {
    run();
    vcpu.immediateExit = true;
    const rests = [];
    for (let exit = run(); exit.reason === "mmio"; exit = run()) rests.push(exit.address);
    assertEquals("the second page's first exit", rests[0], 0xd0000000n);
    assertEquals("RDX", vcpu.regs().rdx, 0x8877665544332211n);
    assertEquals("RIP", vcpu.regs().rip, labels.get("behind"));
    vcpu.immediateExit = false;
  },
  trace: `
    mmio read 0xe0001ffd u24 -> 0x332211
    > immediate-exit 0x1
    mmio read 0xd0000000 u40 -> 0x8877665544
    intr
    > immediate-exit 0x0
    hlt
    = rcx 0x1
    = rdx 0x8877665544332211
  `,
});
