import { asm, defineCases } from "../../mod.ts";

const rows = {
  "dr0-local": { register: "dr0", dr7: 0x401, dr6: 0xffff0ff1 },
  "dr1-global": { register: "dr1", dr7: 0x408, dr6: 0xffff0ff2 },
  "dr2-local": { register: "dr2", dr7: 0x410, dr6: 0xffff0ff4 },
  "dr3-global": { register: "dr3", dr7: 0x480, dr6: 0xffff0ff8 },
} as const;

/** A guest's own instruction breakpoint is a fault before the instruction, with RF in the flags. */
export default defineCases("debug/own-breakpoint", rows, ({ register, dr7, dr6 }) => ({
  spec: [
    "SDM 3B 18.3.1.1: instruction-breakpoint exception condition",
    "SDM 3B 18.2: debug registers",
  ],
  mode: "long",
  requires: [{
    notEmulatedBy: "qemu-tcg",
    because: "it leaves a guest's breakpoints armed for the guests to come and for the host",
  }],
  handlers: { 1: "handler" },
  guest: asm`
    mov eax, stop
    mov ${register}, rax
    mov eax, ${dr7}
    mov dr7, rax
    nop
    stop:
    inc ebx
    mov eax, 0x400
    mov dr7, rax                ; an emulated CPU may take what stays armed for the next guest's
    hlt
    handler:
    mov rcx, dr6
    inc edx
    cmp edx, 2
    jae again
    iretq                       ; RF lets the instruction through this time
    again:
    out 0xee, al
  `,
  trace: ({ stop }) => `
    hlt
    = rax 0x400
    = rbx 0x1
    = rcx 0x${dr6.toString(16)}
    = rdx 0x1
    = ${register} ${stop}
    = dr6 0x${dr6.toString(16)}
    = mem 0x7fd8 u64 [${stop} 0x28 0x10002 0x8000 0x30]
  `,
}));
