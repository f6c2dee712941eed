import { asm, defineCase } from "../../mod.ts";

/** CPUID.0DH.0:EBX is the size of what XCR0 enables: it follows XSETBV and CR4 does not matter. */
export default defineCase({
  id: "cpuid/state-size",
  spec: ["SDM 2A: CPUID leaf 0DH", "SDM 1 13.2: enumeration of CPU support for XSAVE"],
  mode: "long",
  requires: [{ cpuid: "XSAVE" }, { cpuid: "AVX" }],
  machine: { cr4: { set: 0x40000n } },
  guest: asm`
    call report
    xor ecx, ecx
    xor edx, edx
    mov eax, 7                      ; x87, SSE, AVX
    xsetbv
    call report
    xor ecx, ecx
    xor edx, edx
    mov eax, 3
    xsetbv
    call report
    xor eax, eax
    xor ebx, ebx
    xor ecx, ecx
    xor edx, edx
    mov qword [0x7ff8], 0
    hlt
    report:
    mov eax, 0xd
    xor ecx, ecx
    cpuid
    mov eax, ebx
    out 0x10, eax
    ret
  `,
  // Legacy area and header are 576 bytes; AVX's 256 are behind them in the standard form.
  trace: `
    pio out 0x10 u32 0x240
    pio out 0x10 u32 0x340
    pio out 0x10 u32 0x240
    hlt
    = rflags 0x46
  `,
});
