import { asm, defineCase } from "../../mod.ts";
import { apicRegisters } from "./_apic.ts";

/**
 * The IOAPIC's registers: 24 pins, all masked at reset; the id's four bits and the entries keep what
 * is written, but for the delivery status and Remote IRR, which are read-only.
 */
export default defineCase({
  id: "interrupt/ioapic-registers",
  spec: ["KVM API 4.24: KVM_CREATE_IRQCHIP", "82093AA 3.1, 3.2: IOAPIC registers"],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  guest: asm`
    mov dword [rdi], 1              ; version
    mov eax, [rdi + 0x10]
    mov [0xa000], eax
    mov dword [rdi + 0x10], 0xffffffff; is read-only
    mov eax, [rdi + 0x10]
    mov [0xa004], eax
    mov dword [rdi], 0              ; id
    mov eax, [rdi + 0x10]
    mov [0xa008], eax
    mov dword [rdi + 0x10], 0xfa000000
    mov eax, [rdi + 0x10]
    mov [0xa00c], eax
    mov dword [rdi], 2              ; the arbitration id is loaded with the id, and read-only
    mov dword [rdi + 0x10], 0x05000000
    mov eax, [rdi + 0x10]
    mov [0xa02c], eax
    mov dword [rdi], 0x10           ; pin 0
    mov eax, [rdi + 0x10]
    mov [0xa010], eax
    mov dword [rdi], 0x3e           ; pin 23
    mov eax, [rdi + 0x10]
    mov [0xa014], eax
    mov dword [rdi + 0x10], 0x1f9a5 ; all of bits 12 to 16
    mov eax, [rdi + 0x10]
    mov [0xa018], eax
    mov dword [rdi], 0x3f
    mov dword [rdi + 0x10], 0x5a000000
    mov eax, [rdi + 0x10]
    mov [0xa01c], eax
    mov eax, [rdi]                  ; the index reads back
    mov [0xa020], eax
    mov dword [rdi], 0x3e           ; the lower half is as it was
    mov eax, [rdi + 0x10]
    mov [0xa024], eax
    mov dword [rdi], 0x3d           ; and the neighbour is untouched
    mov eax, [rdi + 0x10]
    mov [0xa028], eax
    mov eax, 0
    out 0xf4, al
  `,
  trace: `
    pio out 0xf4 u8 0x0
    = mem 0xa000 u32 [0x170011 0x170011 0x0 0xa000000 0x10000 0x10000]
    = mem 0xa018 u32 [0x1a9a5 0x5a000000 0x3f 0x1a9a5 0x0 0xa000000]
  `,
});
