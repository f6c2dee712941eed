import { asm, defineCases, type VcpuEvents } from "../../mod.ts";

const rows = {
  "pio-out": { access: "out 0x10, al", exit: "pio out 0x10 u8 0x0" },
  "pio-in": { access: "in al, 0x10", exit: "pio in 0x10 u8 -> 0x0" },
  "mmio-read": { access: "mov al, [rbx]", exit: "mmio read 0xd0000000 u8 -> 0x0" },
  "mmio-write": { access: "mov [rbx], eax", exit: "mmio write 0xd0000000 u32 0x0" },
  hlt: { access: "hlt", exit: "hlt" },
} as const;

/** Nothing waits to be injected at an exit that no event has to do with, and the vCPU is runnable. */
export default defineCases("exit/state-at-exits", rows, ({ access, exit }) => ({
  spec: ["KVM API 4.31: KVM_GET_VCPU_EVENTS", "KVM API 4.38: KVM_GET_MP_STATE"],
  mode: "long",
  requires: ["KVM_CAP_MP_STATE"],
  registers: { rbx: 0xd0000000n },
  guest: asm`
    ${access}
    hlt
  `,
  drive: ({ run, vcpu, assertEquals }) => {
    const waiting = ({ exception, interrupt, nmi, smi, triple_fault }: VcpuEvents) => ({
      exception: [exception.injected, exception.pending],
      interrupt: [interrupt.injected, interrupt.soft, interrupt.shadow],
      nmi: [nmi.injected, nmi.pending, nmi.masked],
      smi: [smi.smm, smi.pending],
      tripleFault: triple_fault.pending,
    });
    const none = {
      exception: [0, 0],
      interrupt: [0, 0, 0],
      nmi: [0, 0, 0],
      smi: [0, 0],
      tripleFault: 0,
    };
    run();
    assertEquals("events at the exit", waiting(vcpu.events()), none);
    assertEquals("multiprocessing state", vcpu.mpState(), 0);
    assertEquals("IF in the shared area", vcpu.ifFlag, false);
    assertEquals("CR8 in the shared area", vcpu.cr8, 0n);
    assertEquals("APIC base in the shared area", vcpu.apicBase, vcpu.sregs().apic_base);
    run();
    assertEquals("events at HLT", waiting(vcpu.events()), none);
  },
  trace: `
    ${exit}
    hlt
  `,
}));
