import { asm, defineCases } from "../../mod.ts";

const stacks = { ist1: 1, ist2: 2, ist7: 7 };

/** A gate with an IST switches to that stack whatever the CPL; SS and RSP come back with IRETQ. */
export default defineCases("interrupt/inject-long-ist", stacks, (ist) => {
  // Seven stacks of 0x100 bytes, IST1 the uppermost, which ends at 0x6800.
  const top = 0x6800 - (ist - 1) * 0x100;
  const hex = (value: number) => `0x${value.toString(16)}`;
  return {
    spec: ["KVM API 4.16: KVM_INTERRUPT", "SDM 3A 6.14.5: interrupt stack table"],
    mode: "long",
    machine: { rflags: { set: 0x200n } },
    registers: { rsp: 0x7ff1n },
    handlers: { 0x31: { at: "handler", ist } },
    guest: asm`
      out 0x10, al                    ; the host enqueues the interrupt
      resumed:
      mov rcx, rsp
      hlt
      handler:
      mov rdx, rsp
      iretq
    `,
    drive({ run, vcpu }) {
      run();
      vcpu.interrupt(0x31);
    },
    trace: ({ resumed }) => `
      pio out 0x10 u8 0x0
      > interrupt 0x31
      hlt
      = rcx 0x7ff1
      = rdx ${hex(top - 40)}
      = mem ${hex(top - 40)} u64 [${resumed} 0x28 0x202 0x7ff1 0x30]
    `,
  };
});
