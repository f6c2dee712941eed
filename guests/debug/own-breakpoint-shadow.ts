import { asm, defineCase } from "../../mod.ts";
import { offered } from "../_cpuid.ts";
import { ways } from "../_ways.ts";

const { prefix, requires } = ways["-forced"];

/** "GenuineIntel" of leaf 0. */
const intel = { ebx: 0x756e6547, ecx: 0x6c65746e, edx: 0x49656e69 };

/** Behind MOV SS an Intel processor takes no instruction breakpoint, in emulated code as well. */
export default defineCase({
  id: "debug/own-breakpoint-shadow",
  spec: [
    "SDM 3A 6.8.3: masking exceptions and interrupts when switching stacks",
    "KVM API 4.34: KVM_SET_DEBUGREGS",
  ],
  mode: "long",
  requires: ["KVM_CAP_DEBUGREGS", ...requires, { backend: ["svm"] }],
  handlers: { 1: "handler" },
  registers: { rcx: 0x30n },
  guest: asm`
    jmp far_out
    times 0x780 db 0x90         ; QEMU may leave it armed: no other guest has code out there
    far_out:
    mov ss, ecx
    ${prefix}
    stop:
    mov bl, 2
    out 0xf4, al
    handler:
    out 0xf4, al
  `,
  drive({ vcpu, labels }) {
    vcpu.setCpuid(offered((entry) => entry.function === 0 ? intel : {}));
    vcpu.setDebugRegs({
      db: [labels.get("stop")!, 0n, 0n, 0n],
      dr6: 0xffff0ff0n,
      dr7: 0x401n,
      flags: 0n,
    });
  },
  trace: ({ stop }) => `
    > set-cpuid
    > set-debugregs
    pio out 0xf4 u8 0x0
    = rbx 0x2
    = dr0 ${stop}
    = dr7 0x401
  `,
});
