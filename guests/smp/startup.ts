import { asm, defineCase } from "../../mod.ts";

const zeros = ["rax", "rbx", "rcx", "rsi", "rdi", "rsp", "rbp"];
const numbered = ["r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];
const data = ["ds", "es", "fs", "gs", "ss"];

/** INIT resets the other processor, and a startup IPI makes it run at the page of its vector. */
export default defineCase({
  id: "smp/startup",
  spec: [
    "SDM 3A 8.4.3: MP initialization protocol (INIT, SIPI)",
    "SDM 3A 9.1.1: processor state after reset, table 9-1 (INIT)",
  ],
  mode: "long",
  irqchip: "kernel",
  vcpus: 2,
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    wait:
    pause
    cmp byte [0xa000], 1
    jne wait
    mov dword [rsi + 0x310], 0x01000000
    mov dword [rsi + 0x300], 0x4500 ; INIT
    mov dword [rsi + 0x300], 0x4609 ; startup at 0x9000
    out 0x10, al
    vcpu1:
    mov byte [0xa000], 1
    spin:
    pause
    jmp spin
    startup:                        ; copied there; the same bytes in 16-bit code
    out 0x11, al
    hlt
  `,
  // CD and NW of CR0 stay as they were, clear.
  drive: ({ read, write, labels }) => write(0x9000, read(labels.get("startup")!, 3)),
  trace: `
    0: pio out 0x10 u8 0x0
    1: pio out 0x11 u8 0x0
    0: = rflags 0x46
    ${zeros.map((name) => `1: = ${name} 0x0`).join("\n")}
    ${numbered.map((name) => `1: = ${name} 0x0`).join("\n")}
    1: = rdx *
    1: = rflags 0x2
    1: = cs.selector 0x900
    1: = cs.base 0x9000
    1: = cs.limit 0xffff
    1: = cs.access *
    ${
    data.map((name) => `
      1: = ${name}.selector 0x0
      1: = ${name}.limit 0xffff
      1: = ${name}.access 0x92|0x93
    `).join("\n")
  }
    1: = tr.selector 0x0
    1: = tr.base 0x0
    1: = tr.limit 0xffff
    1: = tr.access *
    1: = ldt.selector 0x0
    1: = ldt.base 0x0
    1: = ldt.limit 0xffff
    1: = ldt.access *
    1: = gdt.base 0x0
    1: = gdt.limit 0xffff
    1: = idt.base 0x0
    1: = idt.limit 0xffff
    1: = cr0 0x10
    1: = cr3 0x0
    1: = cr4 0x0
    1: = efer 0x0
    = mem 0xa000 u8 0x1
  `,
});
