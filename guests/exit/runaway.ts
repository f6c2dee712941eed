import { asm, defineCases, type Requirement } from "../../mod.ts";

const rows = {
  real: { mode: "real", machine: {}, loop: "spin: jmp spin" },
  "real-interrupts-on": { mode: "real", machine: {}, loop: "sti\nspin: pause\njmp spin" },
  protected: { mode: "protected", machine: {}, loop: "spin: jmp spin" },
  long: { mode: "long", machine: {}, loop: "spin: inc rcx\njmp spin" },
  "long-user": { mode: "long", machine: { privilege: 3 }, loop: "spin: jmp spin" },
  // String instructions that begin anew as soon as one is through.
  "long-string": {
    mode: "long",
    machine: {},
    loop: "again: mov edi, 0xb000\nmov ecx, 0x1000\nrep stosb\njmp again",
  },
} as const;

// Bochs 2.7 works out which events are masked before it takes the CPU for a guest's: the external
// interrupts that its host masks stay masked as long as the guest does not touch IF.
const stuck: Requirement = {
  notEmulatedBy: "bochs",
  because: "with IF clear no interrupt of its host's ends the guest, so that the lab hangs",
};

/** A guest that never leaves by itself is ended by a signal, in any mode and at any CPL. */
export default defineCases("exit/runaway", rows, ({ mode, machine, loop }) => ({
  spec: ["KVM API 4.10: KVM_RUN (EINTR)", "KVM API 4.21: KVM_SET_SIGNAL_MASK"],
  mode,
  machine,
  requires: loop.startsWith("sti") ? [] : [stuck],
  timeout: 100,
  guest: asm`
    mov byte [0xa000], 1
    ${loop}
    mov byte [0xa001], 1
    out 0x10, al
    hlt
  `,
  trace: `
    timeout
    = mem 0xa000 u8 [0x1 0x0]
  `,
}));
